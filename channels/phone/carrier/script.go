package carrier

import "strings"

// Where a scripted caller hangs up.
const (
	Stays           = ""
	DuringGreeting  = "during the greeting"
	BeforeRecording = "before recording"
	DuringRecording = "during recording"
	BeforeTheNumber = "before the number" // after the message, before hearing more
)

// Caller is a person who does what was written down.
type Caller struct {
	Keys    []string // pressed when asked, one for each time; "" waits
	Says    []string // where speech is asked for, one for each time; "" says nothing
	Seconds int      // of the message; 0 says nothing
	Words   string   // of the message, where the carrier transcribes
	HangsUp string
	Dialed  string // what comes of a transfer: no-answer

	Said  []string // what the line said
	Spoke int      // how often a message was recorded
}

// Hear implements Person.
func (c *Caller) Hear(text string) bool {
	c.Said = append(c.Said, text)
	return c.HangsUp != DuringGreeting && (text != "[beep]" || c.HangsUp != BeforeRecording)
}

// Heard is all that the line said.
func (c *Caller) Heard() string { return strings.Join(c.Said, " ") }

// Press implements Person.
func (c *Caller) Press(most int, speech bool) (keys, words string, ok bool) {
	if speech {
		return "", next(&c.Says), true
	}
	keys = next(&c.Keys)
	if most > 0 && len(keys) > most {
		keys = keys[:most]
	}
	return keys, "", true
}

func next(list *[]string) string {
	if len(*list) == 0 {
		return ""
	}
	first := (*list)[0]
	*list = (*list)[1:]
	return first
}

// Speak implements Person.
func (c *Caller) Speak() (seconds int, words string, stays bool) {
	if c.Seconds > 0 {
		c.Spoke++
	}
	return c.Seconds, c.Words, c.HangsUp != DuringRecording && c.HangsUp != BeforeTheNumber
}

// Dial implements Person.
func (c *Caller) Dial(string) (status string, ok bool) {
	if c.Dialed == "" {
		return "no-answer", true
	}
	return c.Dialed, true
}
