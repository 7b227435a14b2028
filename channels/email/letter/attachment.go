package letter

import (
	"fmt"
	"io"
	"mime"
	"net/url"
	"path"
	"strings"

	"hearken/complaint"
	"hearken/internal/filetype"
)

// file is what a mail says about an attachment.
type file struct {
	name, mediaType string
	id              string // Content-ID without angle brackets
	inline          bool   // its part says that it belongs into the text
}

// attachment streams a file to the blob store.
func (w *walker) attachment(r io.Reader, f file) error {
	room := w.limits.Decoded - w.decoded
	if room <= 0 {
		w.note(fmt.Sprintf("attachments of more than %d bytes; the rest is in the original only", w.limits.Decoded))
		return nil
	}
	src := &truncated{r: r, left: room}
	head := filetype.NewHead(src)
	blob, err := w.keep.Put(head, room)
	if err != nil {
		return fmt.Errorf("keep an attachment: %w", err)
	}
	if src.cut {
		w.note(fmt.Sprintf("attachments of more than %d bytes; the rest is in the original only", w.limits.Decoded))
	}
	w.decoded += blob.Size
	if blob.Size == 0 && f.name == "" {
		return nil
	}
	a := complaint.Attachment{
		MediaType: oneLine(f.mediaType, 100), Size: blob.Size, SHA256: blob.SHA256, Blob: blob.Ref, ContentID: f.id, Inline: f.inline,
	}
	a.Filename = w.filename(f.name, a.MediaType)
	a.Detected, a.Executable = head.Verdict(a.MediaType, a.Filename)
	w.letter.Attachments = append(w.letter.Attachments, a)
	return nil
}

// shownInline marks the pictures that the text shows by their Content-ID (RFC
// 2392), and unmarks the files that only claim to be such.
func (w *walker) shownInline() {
	for i := range w.letter.Attachments {
		a := &w.letter.Attachments[i]
		a.Inline = a.ContentID != "" && w.cids[a.ContentID] || a.Inline && a.ContentID != "" && strings.HasPrefix(a.MediaType, "image/")
	}
}

// maxCIDs bounds the references of a page to its pictures.
const maxCIDs = 1000

// seeCIDs remembers which parts a page shows.
func (w *walker) seeCIDs(page string) {
	for range maxCIDs {
		i := strings.Index(page, "cid:")
		if i < 0 {
			return
		}
		page = page[i+4:]
		end := strings.IndexAny(page[:min(len(page), maxIDSize)], "\"' >)\\")
		if end <= 0 {
			continue
		}
		if w.cids == nil {
			w.cids = map[string]bool{}
		}
		id := page[:end]
		if un, err := url.PathUnescape(id); err == nil {
			id = un
		}
		w.cids[id] = true
	}
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

// usualExtension is what the system's table, in the order of the alphabet, has
// far behind: it calls a text .asc and a picture .jfif.
var usualExtension = map[string]string{
	"text/plain": ".txt", "text/html": ".html", "image/jpeg": ".jpg", "image/tiff": ".tif", "audio/mpeg": ".mp3", "video/mp4": ".mp4",
	"message/rfc822": ".eml", "application/octet-stream": ".bin", "application/msword": ".doc", "application/vnd.ms-excel": ".xls", "text/calendar": ".ics", "text/xml": ".xml", "application/xml": ".xml",
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
	if own := usualExtension[mediaType]; own != "" {
		ext = own
	} else if exts, err := mime.ExtensionsByType(mediaType); err == nil && len(exts) > 0 {
		ext = exts[0]
	}
	return fmt.Sprintf("part-%d%s", w.parts, ext)
}
