package access

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"hearken/internal/secret"
)

// tokenServer gives tokens that last life seconds, and a new refresh token
// with each, as Microsoft does.
func tokenServer(t *testing.T, life int) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		id, pass, _ := r.BasicAuth()
		good := id == "client" && pass == "hush"
		switch r.FormValue("grant_type") {
		case "refresh_token":
			good = good && r.FormValue("refresh_token") == fmt.Sprint("refresh", n-1)
		case "client_credentials":
			good = good && r.FormValue("scope") == "mail"
		}
		w.Header().Set("Content-Type", "application/json")
		if !good {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": fmt.Sprint("token", n), "token_type": "Bearer", "expires_in": life, "refresh_token": fmt.Sprint("refresh", n)})
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func TestTokensStayFresh(t *testing.T) {
	for name, refresh := range map[string]string{"client credentials": "", "refresh token": "refresh0"} {
		t.Run(name, func(t *testing.T) {
			url, asked := tokenServer(t, 3600)
			tokens := NewTokens(OAuth{TokenURL: url, ClientID: "client", ClientSecret: secret.New("hush"), RefreshToken: secret.New(refresh), Scope: "mail"})
			for range 3 {
				if got, err := tokens.Token(t.Context()); err != nil || got != "token1" {
					t.Fatalf("%q, %v", got, err)
				}
			}
			tokens.Forget()
			if got, err := tokens.Token(t.Context()); err != nil || got != "token2" || asked.Load() != 2 {
				t.Fatalf("%q, %v, asked %d times", got, err, asked.Load())
			}
		})
	}
	// One that ends within minutes is renewed before each use.
	url, asked := tokenServer(t, 200)
	tokens := NewTokens(OAuth{TokenURL: url, ClientID: "client", ClientSecret: secret.New("hush"), Scope: "mail"})
	for range 2 {
		if _, err := tokens.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestARefusedClientIsTold(t *testing.T) {
	url, _ := tokenServer(t, 3600)
	tokens := NewTokens(OAuth{TokenURL: url, ClientID: "client", ClientSecret: secret.New("wrong-secret"), Scope: "mail"})
	_, err := tokens.Token(t.Context())
	if err == nil || !strings.Contains(err.Error(), "client_secret") || strings.Contains(err.Error(), "wrong-secret") {
		t.Errorf("%v", err)
	}
}

func TestClients(t *testing.T) {
	tokens := NewTokens(OAuth{TokenURL: "https://x.example.com", ClientID: "c"})
	mech, ir, err := tokens.Client("imap.example.com:993", "u@example.com", "t").Start()
	if err != nil || mech != "XOAUTH2" || string(ir) != "user=u@example.com\x01auth=Bearer t\x01\x01" {
		t.Errorf("%q %q %v", mech, ir, err)
	}
	tokens = NewTokens(OAuth{TokenURL: "https://x.example.com", ClientID: "c", Mechanism: OAuthBearer})
	mech, ir, err = tokens.Client("imap.example.com:993", "u@example.com", "t").Start()
	if err != nil || mech != "OAUTHBEARER" || !strings.Contains(string(ir), "auth=Bearer t\x01") || !strings.Contains(string(ir), "a=u@example.com") {
		t.Errorf("%q %q %v", mech, ir, err)
	}
	if NewTokens(OAuth{}) != nil {
		t.Error("tokens of nothing")
	}
}

func TestCheck(t *testing.T) {
	good := OAuth{TokenURL: "https://login.example.com/token", ClientID: "c", ClientSecret: secret.New("s")}
	for want, o := range map[string]OAuth{
		"":              good,
		"token_url":     {TokenURL: "login", ClientID: "c", ClientSecret: secret.New("s")},
		"client_id":     {TokenURL: "https://login.example.com", ClientSecret: secret.New("s")},
		"client_secret": {TokenURL: "https://login.example.com", ClientID: "c"},
		"mechanism":     {TokenURL: "https://login.example.com", ClientID: "c", RefreshToken: secret.New("s"), Mechanism: "oauth"},
	} {
		errs := o.Check()
		if want == "" && len(errs) > 0 || want != "" && (len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "oauth."+want)) {
			t.Errorf("%s: %v", want, errs)
		}
	}
	if errs := (OAuth{}).Check(); len(errs) > 0 {
		t.Error(errs)
	}
}
