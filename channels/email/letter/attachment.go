package letter

import (
	"fmt"
	"io"
	"mime"
	"path"
	"strings"

	"hearken/complaint"
)

// attachment streams a part to the blob store.
func (w *walker) attachment(r io.Reader, name, mediaType string) error {
	room := w.limits.Decoded - w.decoded
	if room <= 0 {
		w.note(fmt.Sprintf("attachments of more than %d bytes; the rest is in the original only", w.limits.Decoded))
		return nil
	}
	src := &truncated{r: r, left: room}
	blob, err := w.keep.Put(src, room)
	if err != nil {
		return fmt.Errorf("keep an attachment: %w", err)
	}
	if src.cut {
		w.note(fmt.Sprintf("attachments of more than %d bytes; the rest is in the original only", w.limits.Decoded))
	}
	w.decoded += blob.Size
	if blob.Size == 0 && name == "" {
		return nil
	}
	mediaType = oneLine(mediaType, 100)
	w.letter.Attachments = append(w.letter.Attachments, complaint.Attachment{
		Filename: w.filename(name, mediaType), MediaType: mediaType, Size: blob.Size, SHA256: blob.SHA256, Blob: blob.Ref,
	})
	return nil
}

// truncated ends after left bytes and says whether more was there.
type truncated struct {
	r    io.Reader
	left int64
	cut  bool
}

func (t *truncated) Read(p []byte) (int, error) {
	if t.left <= 0 {
		var one [1]byte
		if n, _ := t.r.Read(one[:]); n > 0 {
			t.cut = true
		}
		return 0, io.EOF
	}
	n, err := t.r.Read(p[:min(int64(len(p)), t.left)])
	t.left -= int64(n)
	return n, err
}

// filename makes a sender's name for a file safe to show and to save.
func (w *walker) filename(name, mediaType string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/:*?"<>|`, r) {
			return '_'
		}
		return r
	}, oneLine(name, maxFilename))
	if strings.Trim(name, ". ") != "" {
		return name
	}
	ext := ".bin"
	if exts, err := mime.ExtensionsByType(mediaType); err == nil && len(exts) > 0 {
		ext = exts[0]
	}
	return fmt.Sprintf("part-%d%s", w.parts, ext)
}
