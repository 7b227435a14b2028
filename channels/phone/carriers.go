package phone

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"hearken/complaint"
)

// dialect is how a carrier that speaks TwiML differs from Twilio.
type dialect struct {
	base      string
	signature Signature
	bearer    bool // the REST API takes the token as a bearer token
	// linked says that a recording's file is where its resource says, and not
	// below the resource itself.
	linked bool
	// byDay says that lists are asked for by whole days, as StartTime_gt.
	byDay bool
	// noTexts says that text messages are not a part of it.
	noTexts bool
}

var carriers = map[string]dialect{
	"twilio": {base: "https://api.twilio.com/2010-04-01", signature: Signature{Scheme: schemeHMACSHA1, Header: "X-Twilio-Signature"}},
	// The base address has the customer's own host: https://SPACE.signalwire.com/api/laml/2010-04-01.
	"signalwire": {signature: Signature{Scheme: schemeHMACSHA1, Header: "X-SignalWire-Signature"}},
	// https://developers.telnyx.com/api-reference/texml-rest-commands/fetch-multiple-call-resources
	"telnyx": {
		base: "https://api.telnyx.com/v2/texml", signature: Signature{Scheme: schemeEd25519, Header: "Telnyx-Signature-Ed25519", Timestamp: "Telnyx-Timestamp"},
		bearer: true, linked: true, byDay: true, noTexts: true,
	},
}

func (p *Phone) dialect() dialect { return carriers[p.cfg.Provider] }

// wholeDays makes of "after this moment" "after the day before it".
func wholeDays(q url.Values) url.Values {
	out := url.Values{}
	for name, values := range q {
		after, is := strings.CutSuffix(name, ">")
		at, err := time.Parse(time.RFC3339, values[0])
		if !is || err != nil {
			out[name] = values
			continue
		}
		out.Set(after+"_gt", at.AddDate(0, 0, -1).Format(time.DateOnly))
	}
	return out
}

// moment reads a time as carriers write it; the zero time where it is none.
func moment(s string) time.Time {
	for _, layout := range []string{time.RFC1123Z, time.RFC3339} {
		if at, err := time.Parse(layout, s); err == nil {
			return at
		}
	}
	return time.Time{}
}

const wave = "audio/wav"

// recordingFile fetches the file of a recording.
func (p *Phone) recordingFile(ctx context.Context, re string) (b complaint.Blob, mediaType string, err error) {
	if !p.dialect().linked {
		b, err = p.download(ctx, "/Accounts/"+url.PathEscape(p.cfg.AccountSID)+"/Recordings/"+url.PathEscape(re)+".wav")
		return b, wave, err
	}
	one, err := p.account.api(ctx).FetchRecording(re, nil)
	if err != nil {
		status, code, is := refused(err)
		if is {
			err = fmt.Errorf("carrier answered %d, code %d", status, code)
		}
		return b, "", err
	}
	// It is the carrier's answer to us that names the address, and not a request
	// of anybody; our credentials go there as little.
	u, err := url.Parse(text(one.MediaUrl))
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != p.account.base.Scheme) {
		return b, "", errors.New("the recording has no address yet")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return b, "", noAddress(err)
	}
	mediaType = wave
	if strings.EqualFold(path.Ext(u.Path), ".mp3") {
		mediaType = "audio/mpeg"
	}
	b, err = p.store(req)
	return b, mediaType, err
}
