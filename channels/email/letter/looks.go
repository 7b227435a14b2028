package letter

// looksGB tells whether b reads as everyday Chinese in GBK: every character
// well formed, and four of five from the 3,755 of GB 2312's first level (leads
// B0 to D7) or its punctuation.
func looksGB(b []byte) bool {
	everyday, all, cyrillic := 0, 0, true
	for i := 0; i < len(b); i++ {
		lead := b[i]
		if lead < 0x80 {
			continue
		}
		if i+1 >= len(b) {
			break // cut off
		}
		trail := b[i+1]
		if lead == 0x80 || lead == 0xff || trail < 0x30 || trail == 0x7f || trail == 0xff {
			return false
		}
		if trail < 0x40 { // a four-byte character
			i += 3
			all++
			continue
		}
		i++
		all++
		if trail >= 0xa1 && (lead >= 0xb0 && lead <= 0xd7 || lead == 0xa1 || lead == 0xa3) {
			everyday++
		}
		if lead < 0xc0 || trail < 0xc0 {
			cyrillic = false // KOI8-R and windows-1251 have their letters from C0 on
		}
	}
	return all > 0 && everyday*5 >= all*4 && !(cyrillic && all >= 3)
}

// looksKorean tells whether b reads as Korean in EUC-KR: it has its syllables
// where GB 2312 has the first half of its everyday characters, and blanks
// between its words.
func looksKorean(b []byte) bool {
	syllables, words := 0, 0
	for i := 0; i < len(b); i++ {
		if b[i] < 0x80 {
			if b[i] == ' ' && i > 0 && b[i-1] >= 0x80 && i+1 < len(b) && b[i+1] >= 0x80 {
				words++
			}
			continue
		}
		if i+1 >= len(b) {
			break
		}
		if b[i+1] < 0xa1 || (b[i] < 0xb0 || b[i] > 0xc8) && b[i] != 0xa1 {
			return false
		}
		syllables++
		i++
	}
	return syllables >= 5 && words > 0
}

// looksBig5 is the same for Big5, whose everyday characters have leads A4 to
// C6 and trails on both sides of 80.
func looksBig5(b []byte) bool {
	everyday, all := 0, 0
	for i := 0; i < len(b); i++ {
		lead := b[i]
		if lead < 0x80 {
			continue
		}
		if i+1 >= len(b) {
			break
		}
		trail := b[i+1]
		if lead < 0xa1 || lead > 0xf9 || trail < 0x40 || trail > 0x7e && trail < 0xa1 || trail == 0xff {
			return false
		}
		i++
		all++
		if lead >= 0xa4 && lead <= 0xc6 || lead == 0xa1 {
			everyday++
		}
	}
	return all > 1 && everyday*5 >= all*4
}

// kana tells whether a third of the double-byte characters begin with the
// leads that a Japanese encoding has for kana: no other text looks like that.
func kana(b []byte, hiragana, katakana byte) bool {
	found, all := 0, 0
	for i := 0; i < len(b); i++ {
		if b[i] < 0x80 {
			continue
		}
		all++
		if b[i] == hiragana || b[i] == katakana {
			found++
		}
		i++
	}
	return all > 2 && found*3 >= all
}

func onlyGB2312(b []byte) bool {
	for i := 0; i < len(b); i++ {
		if b[i] < 0x80 {
			continue
		}
		if i+1 >= len(b) || b[i] < 0xa1 || b[i] > 0xf7 || b[i+1] < 0xa1 {
			return false
		}
		i++
	}
	return true
}
