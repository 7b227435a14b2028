package queue

import (
	"embed"

	"github.com/redis/go-redis/v9"
)

// Every change of state in Redis is one script, so that it happens whole or
// not at all and a retry after a lost answer changes nothing. Each file says
// its keys, arguments and results.
//
//go:embed lua/*.lua
var luaFiles embed.FS

type scripts struct {
	publish, move, answer, hand, leaseNumbers, hold, release, saveCursor, appendChat, heardChat, book, ask *redis.Script
}

func loadScripts() (*scripts, error) {
	s := new(scripts)
	for name, at := range map[string]**redis.Script{
		"publish": &s.publish, "move": &s.move, "answer": &s.answer, "hand": &s.hand,
		"lease_numbers": &s.leaseNumbers, "hold": &s.hold, "release": &s.release,
		"save_cursor": &s.saveCursor, "append_chat": &s.appendChat, "heard_chat": &s.heardChat, "book": &s.book, "ask": &s.ask,
	} {
		text, err := luaFiles.ReadFile("lua/" + name + ".lua")
		if err != nil {
			return nil, err
		}
		*at = redis.NewScript(string(text))
	}
	return s, nil
}
