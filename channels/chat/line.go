package chat

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// The way out of a connection: frames wait in a queue of bounded bytes, and
// one goroutine writes, which ends when there is nothing more to write.

// shut has the connection closed once what is queued is out.
func (k *conn) shut(how closing) {
	k.due(func() {
		if k.ending == nil {
			k.ending = &how
		}
	})
}

// over tells whether the connection is being closed: what still comes in is
// not kept, and not receipted.
func (k *conn) over() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ending != nil
}

// nudge has the writer look into the session's log.
func (k *conn) nudge() { k.due(func() { k.news = true }) }

// ping has the browser asked whether it is there.
func (k *conn) ping() { k.due(func() { k.pings = true }) }

// confirm notes that the browser has the messages up to seq.
func (k *conn) confirm(seq int64) { k.due(func() { k.heard = max(k.heard, seq) }) }

// push queues a frame; a browser that does not read is closed, its session
// goes on when it comes back.
func (k *conn) push(f outFrame) {
	b, err := json.Marshal(f)
	if err != nil {
		k.shut(closeInternal)
		return
	}
	k.due(func() {
		switch {
		case k.ending != nil:
		case k.bytes+len(b) > maxQueue:
			k.ending = &closeSlow
		default:
			k.queue = append(k.queue, b)
			k.bytes += len(b)
		}
	})
}

// due changes what there is to write, and sees to a writer.
func (k *conn) due(change func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change()
	if k.writing || k.closed {
		return
	}
	k.writing = true
	k.writer.Add(1)
	go k.write()
}

// job is what the writer takes at once.
type job struct {
	queue       [][]byte
	news, pings bool
	heard       int64
	ending      *closing
}

// next takes what there is to do; nothing ends the writer, and so does the
// end of the connection.
func (k *conn) next(dead bool) (j job, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	j = job{k.queue, k.news, k.pings, k.heard, k.ending}
	k.queue, k.bytes, k.news, k.pings, k.heard = nil, 0, false, false, 0
	if dead || (len(j.queue) == 0 && !j.news && !j.pings && j.heard == 0 && j.ending == nil) {
		k.writing, k.closed = false, dead
		return j, false
	}
	return j, true
}

// write does what is due until nothing is.
func (k *conn) write() {
	defer k.writer.Done()
	dead := false
	for {
		j, ok := k.next(dead)
		if !ok {
			return
		}
		dead = !k.out(j)
	}
}

// out does one job; false says that the connection is at its end.
func (k *conn) out(j job) bool {
	for _, b := range j.queue {
		if !k.send(websocket.TextMessage, b) {
			return false
		}
	}
	k.noteHeard(j.heard)
	if j.news && !k.sendLog() {
		return false
	}
	if j.pings && !k.send(websocket.PingMessage, nil) {
		return false
	}
	switch {
	case j.ending == nil:
		return true
	case j.ending.code == 0: // nobody is there any more
		_ = k.ws.Close()
	default:
		k.send(websocket.CloseMessage, websocket.FormatCloseMessage(j.ending.code, j.ending.reason))
		// So long the close frame has to arrive and be answered.
		_ = k.ws.SetReadDeadline(time.Now().Add(closeWait))
	}
	return false
}

func (k *conn) send(kind int, b []byte) bool {
	if err := k.ws.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return false
	}
	if err := k.ws.WriteMessage(kind, b); err != nil {
		_ = k.ws.Close() // wakes the reader
		return false
	}
	return true
}

// sendLog sends what the session's log has that this window has not, and a
// ping behind it that the browser answers when it has it (RFC 6455, 5.5.3: a
// pong has the ping's own data).
func (k *conn) sendLog() bool {
	if !k.chat.joined(k) {
		return true
	}
	ctx, cancel := context.WithTimeout(k.chat.ctx, sayWait)
	defer cancel()
	log, err := k.chat.deps.Sessions.Since(ctx, k.session, k.sent)
	if err != nil {
		return true // told again when Redis is back
	}
	for _, m := range log {
		b, err := json.Marshal(outFrame{Type: "message", Seq: &m.Seq, From: m.From, Text: m.Text, Number: m.Number})
		if err != nil || !k.send(websocket.TextMessage, b) {
			return false
		}
		k.sent = m.Seq
	}
	return len(log) == 0 || k.send(websocket.PingMessage, strconv.AppendInt(nil, k.sent, 10))
}

// noteHeard tells every gateway what this browser has: no answer has to be
// mailed that was read. Best effort; at worst it is mailed too.
func (k *conn) noteHeard(seq int64) {
	if seq <= k.noted || seq > k.sent {
		return // known, or a browser that makes it up
	}
	k.noted = seq
	ctx, cancel := context.WithTimeout(k.chat.ctx, sayWait)
	defer cancel()
	if err := k.chat.deps.Sessions.Heard(ctx, k.session, seq); err != nil {
		k.chat.deps.Log.Debug("note what a chat has heard", "err", err)
	}
}
