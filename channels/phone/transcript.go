package phone

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"time"

	"hearken/complaint"
)

// Bounds of a transcription over HTTP.
const (
	transcribeMost   = 10 * time.Minute // a long recording on a slow machine
	maxTranscript    = 1 << 20
	transcribeGiveUp = 24 * time.Hour
)

// transcription takes the carrier's transcript of a recording. One that failed
// or has no words adds nothing: the recording stays.
func (p *Phone) transcription(ctx context.Context, h hook) (answer, error) {
	text := strings.TrimSpace(h.get("TranscriptionText"))
	if h.get("TranscriptionStatus") != "completed" || text == "" {
		return answer{}, nil
	}
	c, err := p.call(h, p.state(h), h.get("RecordingSid"))
	if err != nil {
		return answer{}, err
	}
	return answer{}, p.addTranscript(ctx, c, text)
}

// addTranscript adds the words of a recording to its complaint. They can give
// it another type, priority and department: the dispatcher decides.
func (p *Phone) addTranscript(ctx context.Context, c complaint.Contact, text string) (err error) {
	c.ID, c.Ref = complaint.RecordID(complaint.Phone, c.Ref, "transcript"), c.Ref+"/transcript"
	c.NumberNow, c.WantsReceipt, c.OnlyOpens, c.AlsoConversation = false, false, false, ""
	if err = p.entitle(&c, "phone.transcript", nil); err != nil {
		return err
	}
	c.Text = text
	c.Facts[complaint.FactTranscript] = "true"
	c.Notes = append(c.Notes, "transcribed by a machine")
	_, err = p.deps.Intake.Accept(ctx, c)
	return err
}

// transcribe has a recording transcribed by the configured endpoint: the
// request that speech-to-text servers have in common, a form with file, model
// and language, answered by {"text": ...}.
func (p *Phone) transcribe(ctx context.Context, j job) error {
	text, err := p.askTranscript(ctx, j.Args["blob"], j.Args["type"], j.Contact.Language)
	switch {
	case err == nil && text == "":
		return nil // nothing but noise
	case err == nil:
		return p.addTranscript(ctx, j.Contact, text)
	case complaint.IsPermanent(err) || time.Since(j.Since) > transcribeGiveUp:
		p.deps.Log.Error("a recording stays without a transcript", "line", p.cfg.Name, "recording", j.ID, "err", err)
		return nil
	}
	return fmt.Errorf("transcribe recording %s: %w", j.ID, err)
}

func (p *Phone) askTranscript(ctx context.Context, ref, kind, lang string) (string, error) {
	f, err := p.deps.Blobs.Open(ref)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, transcribeMost)
	defer cancel()
	body, form := io.Pipe()
	defer body.Close()
	w := multipart.NewWriter(form)
	go func() { // ends with the request, which closes body
		defer f.Close()
		_ = form.CloseWithError(p.writeRecording(w, f, kind, lang))
	}()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.cfg.Transcription.URL, body)
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", w.FormDataContentType())
	if !p.cfg.Transcription.Token.IsZero() {
		req.Header.Set("Authorization", "Bearer "+p.cfg.Transcription.Token.Reveal())
	}
	resp, err := p.stt.Do(req)
	if err != nil {
		return "", noAddress(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxTranscript))
	if err != nil {
		return "", err
	}
	switch {
	case resp.StatusCode == http.StatusRequestEntityTooLarge || resp.StatusCode == http.StatusUnsupportedMediaType || resp.StatusCode == http.StatusUnprocessableEntity:
		return "", complaint.Permanent(fmt.Errorf("the endpoint answered %s", resp.Status))
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("the endpoint answered %s", resp.Status)
	}
	var answer struct {
		Text *string `json:"text"`
	}
	if err := json.Unmarshal(b, &answer); err != nil || answer.Text == nil {
		return "", errors.New("the endpoint's answer is not JSON with a text")
	}
	return strings.TrimSpace(*answer.Text), nil
}

func (p *Phone) writeRecording(w *multipart.Writer, f *os.File, kind, lang string) error {
	for _, field := range [][2]string{{"model", p.cfg.Transcription.Model}, {"language", lang}, {"response_format", "json"}} {
		if field[1] == "" {
			continue
		}
		if err := w.WriteField(field[0], field[1]); err != nil {
			return err
		}
	}
	part, err := w.CreateFormFile("file", "recording"+extension(cmp.Or(kind, wave)))
	if err != nil {
		return err
	}
	if _, err := io.Copy(part, f); err != nil {
		return err
	}
	return w.Close()
}
