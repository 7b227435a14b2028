package phone

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"hearken/complaint"
	"hearken/internal/blob"
)

const (
	giveUpAfter = 48 * time.Hour
	downloadMax = 5 * time.Minute
	// transcriptWait is how long the carrier is left a recording that it
	// transcribes: it does so from the recording, mostly within minutes.
	transcriptWait = 2 * time.Hour
)

// recording takes the news that a recording can be fetched, or that there is
// none: the end of the call says the rest. It tells neither caller nor number
// (https://www.twilio.com/docs/voice/twiml/record#attributes-recording-status-callback-parameters).
func (p *Phone) recording(ctx context.Context, h hook) (answer, error) {
	re := h.get("RecordingSid")
	if re == "" || h.get("RecordingStatus") != "completed" || digits(h.get("RecordingDuration")) == "0" {
		return answer{}, nil
	}
	facts, err := p.deps.Memory.Known(ctx, callKey(h.get("CallSid")))
	if err != nil || facts["noted:"+re] != "" { // the gateway that took the message fetches it
		return answer{}, err
	}
	if !h.form.Has("From") {
		h.form.Set("From", facts["from"])
		h.form.Set("To", facts["to"])
	}
	c, err := p.recordingContact(h, p.state(h), re)
	if err != nil {
		return answer{}, err
	}
	return answer{}, p.noteRecording(c, re, false)
}

// noteRecording puts down that a recording is to be fetched, before anybody is
// told that it is known. registered says that the caller was told a number.
func (p *Phone) noteRecording(c complaint.Contact, re string, registered bool) error {
	return p.jobs.add(job{Kind: jobRecording, ID: re, Contact: c, Opened: registered})
}

// fetchRecording fetches a recording and adds it to its complaint.
func (p *Phone) fetchRecording(ctx context.Context, j job) error {
	re := j.ID
	b, kind, err := p.recordingFile(ctx, re)
	if err != nil && time.Since(j.Since) < giveUpAfter && !complaint.IsPermanent(err) {
		// A recording that is long in coming must not keep its complaint from
		// being registered.
		if !j.Opened && time.Since(j.Since) > p.cfg.EndWait {
			if err := p.open(ctx, j); err != nil {
				return err
			}
		}
		return fmt.Errorf("fetch recording %s: %w", re, err)
	}
	if !j.Opened {
		if err := p.open(ctx, j); err != nil {
			return err
		}
	}
	c := j.Contact
	c.ID, c.Ref, c.NumberNow, c.WantsReceipt, c.OnlyOpens = complaint.RecordID(complaint.Phone, c.Ref, "audio"), c.Ref+"/audio", false, false, false
	c.AlsoConversation = "" // by now the texts may be about another complaint
	word := "phone.audio"
	if err == nil {
		c.Attachments = []complaint.Attachment{{Filename: re + extension(kind), MediaType: kind, Size: b.Size, SHA256: b.SHA256, Blob: b.Ref}}
		if seconds := p.seconds(b.Ref); seconds != "" {
			c.Facts["recording_seconds"] = seconds
		}
	} else {
		word = "phone.norecording"
		c.Notes = append(c.Notes, "recording "+re+" could not be fetched: "+err.Error())
	}
	if err = p.entitle(&c, word, nil); err != nil {
		return err
	}
	if _, err := p.deps.Intake.Accept(ctx, c); err != nil {
		return err
	}
	if len(c.Attachments) == 0 {
		return nil
	}
	p.learn(ctx, c.Facts["call_sid"], map[string]string{"kept:" + re: b.SHA256})
	return p.afterRecording(j, b, kind)
}

// open registers the complaint of a recording that nothing else registered.
func (p *Phone) open(ctx context.Context, j job) error {
	c := j.Contact
	c.OnlyOpens, c.WantsReceipt, c.NumberNow = true, true, false
	c.ID, c.Ref = complaint.RecordID(complaint.Phone, c.Ref, "news"), c.Ref+"/news"
	if _, err := p.deps.Intake.Accept(ctx, c); err != nil {
		return err
	}
	return p.jobs.opened(j)
}

// afterRecording puts down what follows once a recording is safe.
func (p *Phone) afterRecording(j job, b complaint.Blob, kind string) error {
	if p.cfg.Transcription.By == "http" {
		if err := p.jobs.add(job{Kind: jobTranscript, ID: j.ID, Contact: j.Contact, Args: map[string]string{"blob": b.Ref, "type": kind}}); err != nil {
			return err
		}
	}
	if p.cfg.Delete {
		del := job{Kind: jobDelete, ID: j.ID}
		if p.cfg.Transcription.By == byCarrier {
			del.Due = time.Now().Add(transcriptWait)
		}
		return p.jobs.add(del)
	}
	return nil
}

// deleteRecording deletes a recording at the carrier, where it is no longer
// needed.
func (p *Phone) deleteRecording(ctx context.Context, j job) error {
	err := p.account.api(ctx).DeleteRecording(j.ID, nil)
	status, _, _ := refused(err)
	switch {
	case err == nil:
		p.deps.Log.Info("recording deleted at the carrier", "line", p.cfg.Name, "recording", j.ID)
		return nil
	case status == http.StatusNotFound:
		return nil
	case time.Since(j.Since) > giveUpAfter:
		p.deps.Log.Error("a recording could not be deleted at the carrier; delete it by hand", "line", p.cfg.Name, "recording", j.ID, "err", err)
		return nil
	}
	return fmt.Errorf("delete recording %s: %w", j.ID, err)
}

// download streams a file of the account into the blob store. The address is
// made here: credentials are never sent to one that came in a request.
func (p *Phone) download(ctx context.Context, path string) (complaint.Blob, error) {
	req, err := p.account.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return complaint.Blob{}, err
	}
	return p.store(req)
}

// store puts what a request is answered with into the blob store.
func (p *Phone) store(req *http.Request) (complaint.Blob, error) {
	ctx, cancel := context.WithTimeout(req.Context(), downloadMax)
	defer cancel()
	req = req.WithContext(ctx)
	resp, err := p.account.http.Do(req)
	if err != nil {
		return complaint.Blob{}, noAddress(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return complaint.Blob{}, fmt.Errorf("carrier answered %s", resp.Status)
	}
	b, err := p.deps.Blobs.Put(resp.Body, p.cfg.MaxBytes)
	switch {
	case errors.Is(err, blob.ErrTooBig):
		return b, complaint.Permanent(err)
	case err == nil && b.Size == 0:
		return b, errors.New("the file is empty")
	}
	return b, err
}

// seconds measures a recording; "" where it is no WAV file that we can read.
func (p *Phone) seconds(ref string) string {
	f, err := p.deps.Blobs.Open(ref)
	if err != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, wavHead)
	n, _ := io.ReadFull(f, head)
	return wavSeconds(head[:n])
}

// wavHead is how far into a WAV file its chunks are looked for.
const wavHead = 4096

// wavSeconds reads the length off a WAV file's head: the bytes of its data
// chunk by the bytes a second of its format chunk. It rounds up.
func wavSeconds(b []byte) string {
	if len(b) < 12 || !bytes.Equal(b[:4], []byte("RIFF")) || !bytes.Equal(b[8:12], []byte("WAVE")) {
		return ""
	}
	rate := uint64(0)
	for at := uint64(12); at+8 <= uint64(len(b)); {
		size := uint64(binary.LittleEndian.Uint32(b[at+4:]))
		switch string(b[at : at+4]) {
		case "fmt ":
			if at+20 <= uint64(len(b)) {
				rate = uint64(binary.LittleEndian.Uint32(b[at+16:]))
			}
		case "data":
			if rate == 0 {
				return ""
			}
			return strconv.FormatUint((size+rate-1)/rate, 10)
		}
		at += 8 + size + size%2 // chunks are padded to even length
	}
	return ""
}
