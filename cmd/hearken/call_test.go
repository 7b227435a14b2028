package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestCallFromTheTerminal takes a call as a person would, typing.
func TestCallFromTheTerminal(t *testing.T) {
	var out bytes.Buffer
	// Chinese; no objection to the recording; delivery; the message; no text.
	c := &callCmd{From: "+8613912345678", After: 3 * time.Second, in: strings.NewReader("hello\n1\n\n2\n我的包裹丢了三天，请赔偿\n\n")}
	if err := c.Run(t.Context(), &streams{out: &out, err: &out}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"A telephone has the keys", "☎ 中文请按1", "☎ 配送问题，请按2", "☎ [beep]", "您的投诉已登记", "DELIVERY", "LOG", "我的包裹丢了三天，请赔偿", "routed again: no words before"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	c = &callCmd{Line: "another"}
	var u usage
	if err := c.Run(t.Context(), &streams{out: &out, err: &out}); !errors.As(err, &u) {
		t.Errorf("a line that is not there: %v", err)
	}
}

// untilRead is an input on which nothing comes: it tells that it is waited for.
type untilRead struct{ waited func() }

func (u untilRead) Read([]byte) (int, error) {
	u.waited()
	select {}
}

func TestCallInterrupted(t *testing.T) {
	var out bytes.Buffer
	ctx, interrupt := context.WithCancel(t.Context())
	c := &callCmd{From: "+8613912345678", After: time.Minute, in: untilRead{interrupt}}
	if err := c.Run(ctx, &streams{out: &out, err: &out}); err != nil || strings.Contains(out.String(), "What comes of it") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
