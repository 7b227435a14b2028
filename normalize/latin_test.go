package normalize

import (
	"strings"
	"testing"

	"github.com/abadojack/whatlanggo"
	"pgregory.net/rapid"
)

// Languages in Latin letters are found quickly; it must be what whatlanggo
// finds.
func TestLatinLanguage(t *testing.T) {
	words := strings.Fields(`parcel my hasn't arrived still the and money back mein paket ist nicht da und möchte geld zurück où est mon colis
		je n’ai rien reçu dónde está mi pedido quiero il mio pacco non è arrivato waar blijft mijn pakje gdzie jest moja paczka hol van a csomagom
		kargom nerede var är mitt paket hvor er pakken missä pakettini on đơn hàng của tôi paket saya belum sampai unde este coletul 12 $5 x KİTAP`)
	checked := 0
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfNDistinct(rapid.IntRange(0, len(words)-1), 1, 4, rapid.ID[int]).Draw(t, "at")
		n := rapid.IntRange(1, 12).Draw(t, "n")
		var text []string
		for _, at := range some { // stretches, so that one language leads
			text = append(text, words[at:min(len(words), at+n)]...)
		}
		s := strings.Join(text, rapid.SampledFrom([]string{" ", ", ", "\n", "  "}).Draw(t, "between"))
		code, sure, ok := latinLanguage(s)
		if !ok {
			return
		}
		want := whatlanggo.DetectWithOptions(s, languages)
		if sure != want.Confidence || sure > 0 && code != want.Lang.Iso6391() {
			t.Fatalf("%q: %s %v, want %s %v", s, code, sure, want.Lang.Iso6391(), want.Confidence)
		}
		checked++
	})
	if checked == 0 {
		t.Error("no text was looked at")
	}
}
