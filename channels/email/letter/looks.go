package letter

// looksGB tells whether b reads as everyday Chinese in GBK: every character
// well formed, and four of five from the 3,755 of GB 2312's first level (leads
// B0 to D7) or its punctuation. The capitals of Latin letters have the same
// bytes ("AÇÃO", "¡Él"), but stand in words.
func looksGB(b []byte) bool {
	everyday, all, cyrillic := 0, 0, true
	for i := 0; i < len(b); i++ {
		lead := b[i]
		if lead < 0x80 {
			continue
		}
		if i+1 >= len(b) {
			if all < 3 {
				return false
			}
			break // cut off
		}
		trail := b[i+1]
		if inWord(b, i) {
			all++
			i++
			continue
		}
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

// inWord tells whether the two bytes at i stand alone beside a letter of ASCII.
func inWord(b []byte, i int) bool {
	before, after := byte(0), byte(0)
	if i > 0 {
		before = b[i-1]
	}
	if i+2 < len(b) {
		after = b[i+2]
	}
	return before < 0x80 && after < 0x80 && (isLetter(before) || isLetter(after))
}

func isLetter(c byte) bool { c |= 0x20; return c >= 'a' && c <= 'z' }

// solid tells whether what is beyond ASCII stands in words of its own, several
// of them: text of another script, where Latin ones have a letter here and
// there.
func solid(b []byte) bool {
	words, inside, all, run := 0, 0, 0, 0
	for i := 0; i <= len(b); i++ {
		if i < len(b) && b[i] >= 0xa0 {
			run++
			continue
		}
		if all += run; run >= 3 {
			words++
			inside += run
		}
		run = 0
	}
	return words >= 5 && inside*10 >= all*7
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
// C6 and trails on both sides of 80. On this side they are letters, and Latin
// capitals before letters have the same form: "ÅGÅRD".
func looksBig5(b []byte) bool {
	everyday, high, all, end := 0, 0, 0, 0 // end is behind the last character
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
		all++
		switch {
		case trail >= 0xa1 && (i == 0 || end != i) && inWord(b, i):
		case lead >= 0xa4 && lead <= 0xc6 || lead == 0xa1:
			everyday++
			fallthrough
		default:
			if trail >= 0xa1 {
				high++
			}
		}
		i++
		end = i + 1
	}
	return all > 1 && everyday*5 >= all*4 && high*4 >= all
}

// looksEUCJP tells whether a third of the double-byte characters begin with the
// leads that EUC-JP has for kana: no other text looks like that.
func looksEUCJP(b []byte) bool {
	kana, all := 0, 0
	for i := 0; i < len(b); i++ {
		if b[i] < 0x80 {
			continue
		}
		if all++; b[i] == 0xa4 || b[i] == 0xa5 {
			kana++
		}
		i++
	}
	return all > 2 && kana*3 >= all
}

// looksSJIS is the same for Shift_JIS, which has katakana of half the width in
// single bytes beside those of two.
func looksSJIS(b []byte) bool {
	kana, half, all := 0, 0, 0
	for i := 0; i < len(b); i++ {
		switch lead := b[i]; {
		case lead < 0x80:
			continue
		case lead >= 0xa1 && lead <= 0xdf:
			half++
		case lead == 0x80 || lead == 0xa0 || lead > 0xfc:
			return false
		case lead == 0x82 || lead == 0x83:
			kana++
			i++
		default:
			i++
		}
		all++
	}
	return all > 2 && kana >= 2 && (kana+half)*3 >= all
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
