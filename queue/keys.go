package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"strconv"
)

// Names of streams after the partition's tag. Departments' streams are
// "dept:" and the code, replies are "replies:" and the channel.
const (
	streamIntake   = "intake"
	streamUpdates  = "updates"
	streamDead     = "dead"
	streamReturned = "returned" // contacts that `hearken dead retry` gives back to the gateways
	streamDept     = "dept:"
	streamReplies  = "replies:"
)

// partition names the keys of one partition. They share one hash tag, so that
// a script that touches several of them stays within one slot of a cluster.
type partition struct {
	index int
	tag   string // "{complaints}" or "{complaints/3}"
}

// partitions makes the N partitions of prefix. A single one has no index in
// its tag: the names that docs/streams.md promises.
func partitions(prefix string, n int) []partition {
	if n <= 1 {
		return []partition{{0, "{" + prefix + "}"}}
	}
	all := make([]partition, n)
	for i := range all {
		all[i] = partition{i, "{" + prefix + "/" + strconv.Itoa(i) + "}"}
	}
	return all
}

func (p partition) key(name string) string { return p.tag + ":" + name }

func (p partition) stream(name string) string       { return p.key(name) }
func (p partition) dept(code string) string         { return p.key(streamDept + code) }
func (p partition) replies(channel string) string   { return p.key(streamReplies + channel) }
func (p partition) contact(id string) string        { return p.key("contact:" + id) }
func (p partition) complaint(number string) string  { return p.key("complaint:" + number) }
func (p partition) complaints(who string) string    { return p.key("complaints:" + digest(who)) }
func (p partition) history(number string) string    { return p.key("history:" + number) }
func (p partition) thread(name string) string       { return p.key("thread:" + digest(name)) }
func (p partition) told(conv string) string         { return p.key("told:" + digest(conv)) }
func (p partition) receipts(address string) string  { return p.key("receipts:" + digest(address)) }
func (p partition) mark(gateway string) string      { return p.key("mark:" + gateway) }
func (p partition) numbers(day string) string       { return p.key("numbers:" + day) }
func (p partition) lease(name string) string        { return p.key("lease:" + name) }
func (p partition) cursor(name string) string       { return p.key("cursor:" + name) }
func (p partition) chat(session string) string      { return p.key("chat:" + session) }
func (p partition) rules() string                   { return p.key("rules") }
func (p partition) accept() string                  { return p.key("accept") }
func (p partition) chatNotes(session string) string { return p.chat(session) + ":notes" }
func (p partition) departments() string             { return p.key("departments") }

// digest keeps names from outside (Message-IDs, addresses) out of key names:
// they are short, and an address can't be read off a list of keys.
func digest(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:16])
}

// spread picks a partition by a customer's key.
func spread(all []partition, key string) partition {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return all[h.Sum32()%uint32(len(all))]
}
