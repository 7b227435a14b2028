package phone

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"hearken/internal/secret"
)

// Bounds of a request to the REST API.
const (
	restWait  = 20 * time.Second
	maxAnswer = 8 << 20 // a page of a list
)

// libraryBase is what the library's addresses begin with.
const libraryBase = "https://api.twilio.com/2010-04-01"

// account is the carrier's REST API.
type account struct {
	sid   string
	token secret.Value
	dialect
	base *url.URL // up to /Accounts
	http *http.Client
}

func newAccount(cfg Config) (account, error) {
	base, err := url.Parse(strings.TrimSuffix(cfg.BaseURL, "/"))
	if err != nil {
		return account{}, err
	}
	return account{
		sid: cfg.AccountSID, token: cfg.AuthToken, dialect: carriers[cfg.Provider], base: base,
		http: &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: restWait}},
	}, nil
}

func (a account) close() { a.http.CloseIdleConnections() }

// api is the library's typed API, bound to ctx. The library's own client has
// no context, leaks the bodies of errors, and refuses credentials of other
// carriers; it takes ours.
func (a account) api(ctx context.Context) *api.ApiService {
	return api.NewApiService(&client.RequestHandler{Client: restClient{a, ctx}})
}

// request makes one to the account, with its credentials. They go to the
// configured address only: never to one that came in a request.
func (a account) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, a.base.String()+path, body)
	if err != nil {
		return nil, err
	}
	if a.bearer {
		req.Header.Set("Authorization", "Bearer "+a.token.Reveal())
	} else {
		req.SetBasicAuth(a.sid, a.token.Reveal())
	}
	return req, nil
}

// restClient implements client.BaseClient.
type restClient struct {
	account
	ctx context.Context
}

func (c restClient) AccountSid() string       { return c.sid }
func (c restClient) SetTimeout(time.Duration) {}
func (c restClient) SetOauth(client.OAuth)    {}
func (c restClient) OAuth() client.OAuth      { return nil }

// path is what of the library's address follows the base. The next page of a
// list is told by the carrier, relative to its host.
func (c restClient) path(raw string) (string, error) {
	rest, ok := strings.CutPrefix(raw, libraryBase)
	if !ok {
		rest, ok = strings.CutPrefix(raw, "https://api.twilio.com"+c.base.Path)
	}
	if !ok {
		return "", errors.New("the address is not one of the account")
	}
	return rest, nil
}

// SendRequest sends what the library wants sent, and reads the answer whole.
func (c restClient) SendRequest(method, rawURL string, data url.Values, _ map[string]any, body ...byte) (*http.Response, error) {
	path, err := c.path(rawURL)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c.ctx, restWait)
	defer cancel()
	var content io.Reader
	if method == http.MethodGet || method == http.MethodDelete {
		if c.byDay {
			data = wholeDays(data)
		}
		if len(data) > 0 {
			path += "?" + data.Encode()
		}
	} else {
		content = strings.NewReader(data.Encode())
	}
	req, err := c.request(ctx, method, path, content)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if content != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, noAddress(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, noAddress(err)
	}
	if resp.StatusCode/100 != 2 {
		refusal := &client.TwilioRestError{}
		_ = json.Unmarshal(b, refusal) // whatever it can tell
		refusal.Status = resp.StatusCode
		return nil, refusal
	}
	resp.Body = io.NopCloser(bytes.NewReader(b))
	return resp, nil
}

// noAddress drops the address from an error: it may hold a customer's number.
func noAddress(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return fmt.Errorf("no answer: %w", u.Err)
	}
	return err
}

// refused says what the carrier answered. Its text is left out: it may hold a
// number.
func refused(err error) (status, code int, is bool) {
	var rest *client.TwilioRestError
	if !errors.As(err, &rest) {
		return 0, 0, false
	}
	return rest.Status, rest.Code, true
}
