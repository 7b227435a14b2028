package phone

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	api "github.com/twilio/twilio-go/rest/api/v2010"

	"hearken/complaint"
)

// A webhook can get lost: the gateway was down, the carrier had no way to it
// (its error 11200), and callbacks of recordings and states are not tried
// again. So what the carrier knows of the last hours is asked for, and what
// never arrived is taken in, under the ids that its webhooks would have had.

const (
	// settleFor is how old something must be before its webhook counts as lost.
	settleFor = 3 * time.Minute
	// reconcileMost bounds a list, of which the newest come first: a round
	// takes a few dozen requests at most. Who has more calls than that within
	// reconcile.back finds those that were lost while they are new.
	reconcileMost = 20000
)

// reconcile looks from time to time, on one gateway, until ctx ends.
func (p *Phone) reconcile(ctx context.Context) error {
	if p.cfg.Reconcile.Every < 0 {
		<-ctx.Done()
		return nil
	}
	for ctx.Err() == nil {
		_ = p.deps.Leases.Hold(ctx, "reconcile phone "+p.cfg.Name, p.reconcileAll) // ends with ctx, or when another gateway goes on
	}
	return nil
}

// reconcileAll goes round until ctx ends. What was looked at once is not
// looked at again.
func (p *Phone) reconcileAll(ctx context.Context) error {
	r := &round{Phone: p, seen: map[string]time.Time{}}
	failing := false
	for {
		err := r.all(ctx, time.Now())
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !failing:
			p.deps.Log.Warn("look for lost webhooks; will be tried again", "line", p.cfg.Name, "err", err)
		case err == nil && failing:
			p.deps.Log.Info("works again", "what", "look for lost webhooks", "line", p.cfg.Name)
		}
		failing = err != nil
		t := time.NewTimer(p.cfg.Reconcile.Every)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// round looks for what got lost.
type round struct {
	*Phone
	seen map[string]time.Time // by Sid
}

func (r *round) all(ctx context.Context, now time.Time) error {
	since := now.Add(-r.cfg.Reconcile.Back).UTC()
	for sid, at := range r.seen {
		if at.Before(since.Add(-24 * time.Hour)) {
			delete(r.seen, sid)
		}
	}
	calls := map[string]api.ApiV2010Call{}
	var errs []error
	for _, number := range r.cfg.Numbers {
		errs = append(errs, r.calls(ctx, number, since, calls))
		if !r.dialect().noTexts {
			errs = append(errs, r.messages(ctx, number, since), r.messages(ctx, whatsApp+number, since))
		}
	}
	return errors.Join(append(errs, r.recordings(ctx, since, calls))...)
}

// once tells whether a thing is to be looked at: it is settled, and was not
// looked at before.
func (r *round) once(sid, when string) bool {
	at := moment(when)
	if at.IsZero() || time.Since(at) < settleFor || !r.sid.MatchString(sid) || !r.seen[sid].IsZero() {
		return false
	}
	return true
}

func (r *round) done(sid string) { r.seen[sid] = time.Now() }

// calls takes in ends of calls that we did not hear of.
func (r *round) calls(ctx context.Context, number string, since time.Time, all map[string]api.ApiV2010Call) error {
	params := &api.ListCallParams{}
	params.SetTo(number)
	params.SetStartTimeAfter(since)
	params.SetLimit(reconcileMost)
	list, err := r.account.api(ctx).ListCall(params)
	if err != nil {
		return fmt.Errorf("list calls: %w", r.sendError(ctx, "", err))
	}
	for _, c := range list {
		sid := text(c.Sid)
		if text(c.Direction) != "inbound" || !slices.Contains(over, text(c.Status)) {
			continue
		}
		all[sid] = c
		ended := text(c.EndTime)
		if ended == "" {
			ended = text(c.DateUpdated)
		}
		if !r.once(sid, ended) {
			continue
		}
		answered, err := r.answered(ctx, sid)
		if err != nil {
			return err
		}
		if !answered {
			if err := r.noteEnd(callHook(c), time.Now()); err != nil {
				return err
			}
		}
		r.done(sid)
	}
	return nil
}

// answered tells whether somebody spoke with the caller after a transfer: then
// the call has an outgoing leg that was completed.
func (r *round) answered(ctx context.Context, sid string) (bool, error) {
	if r.cfg.Transfer.To == "" {
		return false, nil
	}
	params := &api.ListCallParams{}
	params.SetParentCallSid(sid)
	params.SetLimit(maxTries)
	legs, err := r.account.api(ctx).ListCall(params)
	if err != nil {
		return false, fmt.Errorf("list the legs of call %s: %w", sid, r.sendError(ctx, "", err))
	}
	return slices.ContainsFunc(legs, func(c api.ApiV2010Call) bool {
		// Not every carrier knows the question, and answers with all its calls.
		return text(c.ParentCallSid) == sid && text(c.Status) == "completed" && digits(text(c.Duration)) != "" && text(c.Duration) != "0"
	}), nil
}

// callHook makes the webhook of a call's end from the call.
func callHook(c api.ApiV2010Call) hook {
	return hook{form: url.Values{"CallSid": {text(c.Sid)}, "From": {text(c.From)}, "To": {text(c.To)}, "CallStatus": {text(c.Status)}, "Direction": {"inbound"}}, query: url.Values{}}
}

// recordings puts down recordings that we did not hear of.
func (r *round) recordings(ctx context.Context, since time.Time, calls map[string]api.ApiV2010Call) error {
	params := &api.ListRecordingParams{}
	params.SetDateCreatedAfter(since)
	params.SetLimit(reconcileMost)
	list, err := r.account.api(ctx).ListRecording(params)
	if err != nil {
		return fmt.Errorf("list recordings: %w", r.sendError(ctx, "", err))
	}
	for _, one := range list {
		re, call := text(one.Sid), calls[text(one.CallSid)]
		if call.Sid == nil || text(one.Status) != "completed" || !r.once(re, text(one.DateCreated)) {
			continue // also the calls of other lines of the account
		}
		h := callHook(call)
		h.form.Set("RecordingSid", re)
		h.form.Set("RecordingStatus", "completed")
		h.form.Set("RecordingDuration", strings.TrimSuffix(text(one.Duration), ".0"))
		facts, err := r.deps.Memory.Known(ctx, callKey(text(call.Sid)))
		if err != nil {
			return err
		}
		for k, v := range facts { // what the address of the callback would have told
			h.query.Set(k, v)
		}
		if facts["kept:"+re] == "" {
			if err := r.noteLost(h, re); err != nil {
				return err
			}
		}
		r.done(re)
	}
	return nil
}

// noteLost is recording without the question whether another gateway has it.
func (r *round) noteLost(h hook, re string) error {
	if digits(h.get("RecordingDuration")) == "0" {
		return nil
	}
	c, err := r.recordingContact(h, r.state(h), re)
	if err != nil {
		return err
	}
	return r.noteRecording(c, re, false)
}

// messages takes in text messages that we did not hear of.
func (r *round) messages(ctx context.Context, number string, since time.Time) error {
	params := &api.ListMessageParams{}
	params.SetTo(number)
	params.SetDateSentAfter(since)
	params.SetLimit(reconcileMost)
	list, err := r.account.api(ctx).ListMessage(params)
	if err != nil {
		return fmt.Errorf("list messages: %w", r.sendError(ctx, "", err))
	}
	for _, m := range list {
		sid := text(m.Sid)
		if text(m.Direction) != "inbound" || !r.once(sid, text(m.DateCreated)) {
			continue
		}
		h := hook{form: url.Values{
			"MessageSid": {sid}, "From": {text(m.From)}, "To": {text(m.To)}, "Body": {text(m.Body)}, "NumMedia": {text(m.NumMedia)}, "NumSegments": {text(m.NumSegments)},
		}, query: url.Values{}}
		if err := r.lostText(ctx, h, text(m.DateCreated)); err != nil {
			return err
		}
		r.done(sid)
	}
	return nil
}

// lostText takes in a message. Its receipt goes out as a message of its own,
// if it was really lost.
func (r *round) lostText(ctx context.Context, h hook, when string) error {
	c, err := r.text(h)
	if err != nil || c.ID == "" {
		if complaint.IsPermanent(err) {
			return nil
		}
		return err
	}
	if at := moment(when); !at.IsZero() {
		c.ReceivedAt = at
	}
	c.Fragment, c.Part = false, false
	if err := r.noteMedia(c, h); err != nil {
		return err
	}
	_, err = r.deps.Intake.Accept(ctx, c)
	return err
}
