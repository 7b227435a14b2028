// Package filetype tells what a file is by its bytes, and whether opening it
// may run it. It hides signatures of formats and the habit of senders to claim
// another type than the true one.
package filetype

import (
	"bytes"
	"io"
	"mime"
	"path"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// HeadBytes is how much of a file is looked at: office documents, which are
// zip files, show what they are within it.
const HeadBytes = 3072

// Head keeps the first bytes of what is read through it.
type Head struct {
	r     io.Reader
	first []byte
}

// NewHead reads from r.
func NewHead(r io.Reader) *Head { return &Head{r: r} }

func (h *Head) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	if room := HeadBytes - len(h.first); room > 0 && n > 0 {
		h.first = append(h.first, p[:min(n, room)]...)
	}
	return n, err
}

// Verdict says what the bytes read so far show, beside the type and the name
// that the sender claims. detected is "" where it agrees with the claim or
// says nothing.
func (h *Head) Verdict(claimed, name string) (detected string, executable bool) {
	return Detect(h.first, claimed, name)
}

// Detect is Verdict for the first bytes of a file.
func Detect(head []byte, claimed, name string) (detected string, executable bool) {
	executable = runs(head, name)
	if len(head) == 0 {
		return "", executable
	}
	if bytes.HasPrefix(head, []byte("MZ")) && !executable {
		return "", false // words
	}
	found := mimetype.Detect(head)
	bare, _, err := mime.ParseMediaType(claimed)
	if err != nil {
		bare = claimed
	}
	switch {
	case found.Is("application/octet-stream"), found.Is("text/plain") && !binary(bare), strings.Contains(bare, "pkcs7") && found.Is("application/pkcs7-signature"):
		return "", executable // nothing that contradicts
	}
	for m := found; m != nil; m = m.Parent() {
		if m.Is(bare) && !m.Is("application/octet-stream") {
			return "", executable // the claim is right, if a little vague ("application/zip" for a document)
		}
	}
	t, _, _ := strings.Cut(found.String(), ";")
	return t, executable
}

// binary tells whether a type can't be plain text.
func binary(t string) bool {
	for _, p := range []string{"image/", "audio/", "video/", "application/pdf", "application/zip", "application/vnd.", "application/msword"} {
		if strings.HasPrefix(t, p) && t != "image/svg+xml" {
			return true
		}
	}
	return false
}

// Files that the common desktops run when they are opened, by the end of their
// names: what mail programs and gateways block.
var runnable = func() map[string]bool {
	m := map[string]bool{}
	for _, e := range strings.Fields(`ade adp app appx appxbundle bat chm cmd com cpl dll dmg exe gadget hta iso img ins isp jar jnlp
		js jse lib lnk mde msc msi msix msixbundle msp mst nsh pif ps1 ps1xml ps2 psc1 psm1 reg scf scr sct sh shb shs
		sys url vb vbe vbs vhd vhdx vxd ws wsc wsf wsh apk xll docm xlsm pptm dotm xltm potm ppam xlam`) {
		m["."+e] = true
	}
	return m
}()

// Signatures of programs: Windows, Linux, macOS (both orders, 32 and 64 bits,
// universal; that one is Java's too), shortcuts, and scripts.
var programs = [][]byte{
	[]byte("MZ"), []byte("\x7fELF"), []byte("\xfe\xed\xfa\xce"), []byte("\xfe\xed\xfa\xcf"), []byte("\xce\xfa\xed\xfe"),
	[]byte("\xcf\xfa\xed\xfe"), []byte("\xca\xfe\xba\xbe"), []byte("L\x00\x00\x00\x01\x14\x02\x00"), []byte("#!"),
}

func runs(head []byte, name string) bool {
	// Windows drops dots and blanks at the end of a name.
	if runnable[strings.ToLower(path.Ext(strings.TrimRight(name, ". ")))] {
		return true
	}
	for _, p := range programs {
		if !bytes.HasPrefix(head, p) {
			continue
		}
		if string(p) != "MZ" {
			return true
		}
		// Two letters begin many a text: a program's header is no text.
		return len(head) >= 64 && bytes.IndexByte(head[:64], 0) >= 0
	}
	return false
}
