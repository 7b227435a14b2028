package queue

import (
	"errors"
	"testing"
	"time"

	"hearken/complaint"
)

func textFrom(phone, sid string) complaint.Contact {
	return complaint.Contact{
		ID: complaint.RecordID(complaint.Phone, sid), Channel: complaint.Phone, Account: "hotline", Ref: sid, ReceivedAt: time.Now(), Text: "my parcel",
		From: complaint.Person{Phone: phone}, Conversation: "sms:" + phone + ">hotline", Window: time.Hour, NumberNow: true,
	}
}

// TestTextAfterACall: who phoned and writes then, writes about the call; and
// what we wrote about a complaint is answered there, whatever was open before.
func TestTextAfterACall(t *testing.T) {
	for _, parts := range []int{1, 4} {
		r := newRig(t, func(c *Config, _ *GatewayConfig) { c.Partitions = parts })
		await(t, "redis", r.gw.up.Load)
		c := call("CA1", "RE1")
		c.NumberNow, c.AlsoConversation, c.AlsoWindow = true, "sms:+8613812345678>hotline", time.Hour
		phoned := r.accept(c)
		r.awaitRecords(1)
		if wrote := r.accept(textFrom("+8613812345678", "SM1")); wrote.Number != phoned.Number || wrote.Event != complaint.Supplemented {
			t.Errorf("%d partitions: %+v, the call was %s", parts, wrote, phoned.Number)
		}
		second := call("CA2", "RE2") // it has no texts of its own
		second.NumberNow = true
		other := r.accept(second)
		r.awaitRecords(3)
		if err := r.client.Continue(t.Context(), other.Number, "sms:+8613812345678>hotline", time.Hour); err != nil {
			t.Fatal(err)
		}
		if wrote := r.accept(textFrom("+8613812345678", "SM2")); wrote.Number != other.Number {
			t.Errorf("%d partitions: %+v, written to about %s", parts, wrote, other.Number)
		}
		under := map[string]int{}
		for _, one := range r.awaitRecords(4) {
			under[one.Number]++
		}
		if under[phoned.Number] != 2 || under[other.Number] != 2 {
			t.Errorf("%d partitions: %v", parts, under)
		}
	}
}

// TestNumberToldTwice: what is booked on, or continues, a number that was told
// beside the complaint's own goes to the complaint.
func TestNumberToldTwice(t *testing.T) {
	r := newRig(t)
	await(t, "redis", r.gw.up.Load)
	real := r.accept(textFrom("+8613812345678", "SM1")).Number
	r.awaitRecords(1)
	told, err := complaint.NewNumber("261123", 42)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if err := errors.Join(
		r.client.lead(ctx, r.client.parts[0], told, real),
		r.client.Continue(ctx, told, "sms:another", time.Hour),
		r.client.Book(ctx, told, "x", "delivery_failed", map[string]string{"code": "30003"}),
	); err != nil {
		t.Fatal(err)
	}
	c := textFrom("+8613812345679", "SM2")
	c.Conversation = "sms:another"
	if got := r.accept(c).Number; got != real {
		t.Errorf("%s, not %s", got, real)
	}
	k, err := r.client.Complaint(ctx, real)
	if err != nil || len(k.History) < 2 {
		t.Errorf("%v: %s", err, k.History)
	}
	if err := r.client.Continue(ctx, "261123999999", "sms:another", time.Hour); !errors.Is(err, ErrUnknownNumber) {
		t.Errorf("a number that is nobody's: %v", err)
	}
}
