package phone

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"hearken/complaint"
	"hearken/internal/blob"
)

// job is a recording to be fetched. It lies in the notebook until its audio
// is on the complaint, or given up.
type job struct {
	Contact   complaint.Contact `json:"contact"`
	Recording string            `json:"recording"`
	Since     time.Time         `json:"since"`
}

const (
	fetchEvery  = 30 * time.Second // while something is to be fetched
	fetchFirst  = time.Second      // after the news, and doubling: the file may lag behind it
	giveUpAfter = 48 * time.Hour
	stampsKept  = 7 * 24 * time.Hour
	downloadMax = 5 * time.Minute
)

func (p *Phone) nudge() {
	select {
	case p.fetch <- struct{}{}:
	default:
	}
}

// fetchAll works off the jobs until ctx ends.
func (p *Phone) fetchAll(ctx context.Context) error {
	wait := time.Duration(0)
	tidied := time.Time{}
	for {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-p.fetch:
			wait = 0
		case <-timer.C:
		}
		timer.Stop()
		left, err := p.fetchRound(ctx)
		if err != nil && ctx.Err() == nil {
			p.deps.Log.Warn("fetch recordings; will be tried again", "line", p.cfg.Name, "err", err)
		}
		if time.Since(tidied) > time.Hour {
			tidied = time.Now()
			if err := p.tidy(); err != nil {
				p.deps.Log.Warn("tidy the notebook", "line", p.cfg.Name, "err", err)
			}
		}
		switch {
		case left == 0 && err == nil:
			wait = time.Hour
		case wait == 0 || wait >= time.Hour:
			wait = fetchFirst
		default:
			wait = min(2*wait, fetchEvery)
		}
	}
}

// fetchRound tries every job once, and tells how many are left.
func (p *Phone) fetchRound(ctx context.Context) (left int, err error) {
	notes, err := p.deps.Notebook.List(jobKey)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(notes)) {
		var j job
		if err := json.Unmarshal(notes[key], &j); err != nil {
			errs = append(errs, fmt.Errorf("read job %s: %w", key, err))
			left++
			continue
		}
		if err := p.finish(ctx, key, j); err != nil {
			errs = append(errs, err)
			left++
		}
		if ctx.Err() != nil {
			break
		}
	}
	return left, errors.Join(errs...)
}

// finish fetches one recording and adds it to its complaint.
func (p *Phone) finish(ctx context.Context, key string, j job) error {
	c := j.Contact
	c.ID = complaint.RecordID(complaint.Phone, c.Ref, "audio")
	c.Ref += "/audio"
	b, err := p.download(ctx, j.Recording)
	word := "phone.audio"
	switch {
	case err == nil:
		c.Attachments = []complaint.Attachment{{Filename: j.Recording + ".wav", MediaType: "audio/wav", Size: b.Size, SHA256: b.SHA256, Blob: b.Ref}}
	case time.Since(j.Since) < giveUpAfter && !complaint.IsPermanent(err):
		return fmt.Errorf("fetch recording %s: %w", j.Recording, err)
	default:
		word = "phone.norecording"
		c.Notes = append(c.Notes, "recording "+j.Recording+" could not be fetched: "+err.Error())
	}
	if c.Subject, err = p.book.Say(c.Language, word, nil); err != nil {
		return err
	}
	if _, err := p.deps.Intake.Accept(ctx, c); err != nil {
		return err
	}
	if err := p.stamp(doneKey + j.Recording); err != nil {
		return err
	}
	return p.deps.Notebook.Delete(key)
}

// download streams a recording into the blob store. The address is made here:
// credentials are never sent to one that came in a request.
func (p *Phone) download(ctx context.Context, re string) (complaint.Blob, error) {
	ctx, cancel := context.WithTimeout(ctx, downloadMax)
	defer cancel()
	address := fmt.Sprintf("https://%s/2010-04-01/Accounts/%s/Recordings/%s.wav", providerHost, url.PathEscape(p.cfg.AccountSID), url.PathEscape(re))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return complaint.Blob{}, err
	}
	req.SetBasicAuth(p.cfg.AccountSID, p.cfg.AuthToken.Reveal())
	resp, err := p.http.Do(req)
	if err != nil {
		return complaint.Blob{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return complaint.Blob{}, fmt.Errorf("provider answered %s", resp.Status)
	}
	b, err := p.deps.Blobs.Put(resp.Body, p.cfg.MaxRecording)
	if errors.Is(err, blob.ErrTooBig) {
		return b, complaint.Permanent(err)
	}
	return b, err
}

// tidy drops stamps that no repetition will ask for any more.
func (p *Phone) tidy() error {
	var errs []error
	for _, prefix := range []string{doneKey, sentKey} {
		notes, err := p.deps.Notebook.List(prefix)
		errs = append(errs, err)
		for key, v := range notes {
			var at time.Time
			if json.Unmarshal(v, &at) != nil || time.Since(at) > stampsKept {
				errs = append(errs, p.deps.Notebook.Delete(key))
			}
		}
	}
	return errors.Join(errs...)
}

// transport sends requests for the provider to the configured address.
type transport struct {
	target *url.URL
	inner  *http.Transport
}

// providerHost is what the library writes to.
const providerHost = "api.twilio.com"

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == providerHost { // a redirect to another host stays one
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, r.Host = t.target.Scheme, t.target.Host, t.target.Host
	}
	return t.inner.RoundTrip(r)
}

// small is a transport for the library's requests: it has no context, and
// leaves the bodies of errors open, so each answer is read here, in time and
// whole.
type small struct{ *transport }

const (
	restWait  = 20 * time.Second // for one request to the REST API
	maxAnswer = 1 << 20
)

func (s small) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), restWait)
	defer cancel()
	resp, err := s.transport.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(b))
	return resp, nil
}
