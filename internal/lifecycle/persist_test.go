package lifecycle

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPersist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		tries := 0
		Persist(t.Context(), log, "read", func() error {
			if tries++; tries < 5 {
				return errors.New("away")
			}
			return nil
		})
		if tries != 5 || strings.Count(out.String(), "away") != 1 || strings.Count(out.String(), "works again") != 1 {
			t.Errorf("%d tries, log:\n%s", tries, out.String())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		Persist(ctx, log, "read", func() error { return errors.New("away") })
		if d := time.Since(began); d != time.Minute {
			t.Errorf("it went on for %v after a minute's context", d)
		}
	})
}
