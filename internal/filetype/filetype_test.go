package filetype

import (
	"archive/zip"
	"bytes"
	"io"
	"testing"
)

func document(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"[Content_Types].xml", "word/document.xml"} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("<x/>")); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestVerdict(t *testing.T) {
	png := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	exe := "MZ\x90\x00\x03\x00\x00\x00" + string(make([]byte, 80))
	for name, c := range map[string]struct {
		bytes, claimed, filename string
		detected                 string
		executable               bool
	}{
		"true":                   {png, "image/png", "a.png", "", false},
		"a program as a picture": {exe, "image/png", "a.png", "application/vnd.microsoft.portable-executable", true},
		"claimed nothing":        {png, "application/octet-stream", "a", "image/png", false},
		"a script by its name":   {"WScript.Echo(1)", "text/plain", "rechnung.pdf.js", "", true},
		"dots behind the name":   {"x", "text/plain", "a.exe. .", "", true},
		"a shell script":         {"#!/bin/sh\nls\n", "text/plain", "notes", "", true},
		"text that begins so":    {"MZ is how the mail begins, and it goes on for quite a while, more than 64 bytes", "text/plain", "a.txt", "", false},
		"a document":             {string(document(t)), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a.docx", "", false},
		"a document as a zip":    {string(document(t)), "application/zip", "a.zip", "", false},
		"a document as a pdf":    {string(document(t)), "application/pdf", "a.pdf", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", false},
		"text as a pdf":          {"just words", "application/pdf", "a.pdf", "text/plain", false},
		"a csv":                  {"a,b\n1,2\n", "text/csv", "a.csv", "", false},
		"nothing":                {"", "image/png", "a.png", "", false},
		"a claim that is none":   {png, "not a type;;", "a.png", "image/png", false},
	} {
		t.Run(name, func(t *testing.T) {
			h := NewHead(bytes.NewReader([]byte(c.bytes)))
			if n, err := io.Copy(io.Discard, h); err != nil || n != int64(len(c.bytes)) {
				t.Fatal(n, err)
			}
			detected, executable := h.Verdict(c.claimed, c.filename)
			if detected != c.detected || executable != c.executable {
				t.Errorf("%q, %v", detected, executable)
			}
		})
	}
}
