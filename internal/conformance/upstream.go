package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
)

// Answer is what a stand-in answers to one call.
type Answer struct {
	Status      int               `json:"status"`
	JSON        json.RawMessage   `json:"json"`
	Text        string            `json:"text"`
	ContentType string            `json:"contentType"`
	Headers     map[string]string `json:"headers"`
	// Chunked leaves out Content-Length.
	Chunked bool `json:"chunked"`
	// Network is "reset" where the connection closes without an answer.
	Network string `json:"network"`
}

// Call is a call that a stand-in got, in the shape of expected.upstreamCalls.
type Call struct {
	Host        string            `json:"host"`
	Method      string            `json:"method"`
	Path        string            `json:"path"`
	Target      string            `json:"target,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	SDKRequest  string            `json:"amzSdkRequest,omitempty"` // "attempt=1; max=3"
	Body        any               `json:"body,omitempty"`          // parsed JSON
	RawBody     string            `json:"rawBody,omitempty"`
	Form        map[string]string `json:"form,omitempty"`
}

// Upstream stands for the services behind a server: the user pool with its keys, the identity pool
// and managed login. It is an [http.RoundTripper], for use as the Transport of an App's HTTPClient.
// It is safe for concurrent use.
type Upstream struct {
	keys    []byte
	answers map[string][]Answer

	mu    sync.Mutex
	calls []Call
	count map[string]int
}

// pool is the user pool of the recorded cases.
const pool = "eu-west-1_Corpus001"

// NewUpstream returns a stand-in that publishes keys for the user pool of the cases and answers as
// input.upstream says.
func NewUpstream(keys *Keys, answers map[string][]Answer) *Upstream {
	return &Upstream{keys: keys.Set(), answers: answers, count: map[string]int{}}
}

// Calls returns the calls so far, but for those for key sets.
func (u *Upstream) Calls() []Call {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]Call{}, u.calls...)
}

// RoundTrip answers as input.upstream says. A call that it does not name is answered by
// 400 UnexpectedCallException.
func (u *Upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	if issuer, ok := strings.CutSuffix(r.URL.Path, "/.well-known/jwks.json"); ok {
		if issuer != "/"+pool || !strings.HasPrefix(r.URL.Host, "cognito-idp.") {
			return answer(r, Answer{Status: 404}), nil
		}
		return answer(r, Answer{Status: 200, JSON: u.keys}), nil
	}

	call := Call{
		Host: r.URL.Host, Method: r.Method, Path: r.URL.Path,
		Target: r.Header.Get("X-Amz-Target"), ContentType: r.Header.Get("Content-Type"), SDKRequest: r.Header.Get("Amz-Sdk-Request"),
	}
	operation := r.Method + " " + r.URL.Path
	if i := strings.LastIndexByte(call.Target, '.'); i >= 0 {
		operation = call.Target[i+1:]
		if err := json.Unmarshal(body, &call.Body); err != nil {
			return nil, err
		}
	} else {
		call.RawBody = string(body)
		form, err := url.ParseQuery(call.RawBody)
		if err != nil {
			return nil, err
		}
		call.Form = map[string]string{}
		for name, values := range form {
			call.Form[name] = values[0]
		}
	}

	u.mu.Lock()
	u.calls = append(u.calls, call)
	answers := u.answers[operation]
	n := u.count[operation]
	u.count[operation]++
	u.mu.Unlock()

	if len(answers) == 0 {
		return answer(r, Answer{Status: 400, JSON: json.RawMessage(`{"__type":"UnexpectedCallException","message":"` + operation + `"}`)}), nil
	}
	a := answers[min(n, len(answers)-1)]
	switch a.Network {
	case "":
		return answer(r, a), nil
	case "reset":
		return nil, syscall.ECONNRESET
	}
	return nil, errors.New("conformance: unknown network answer " + a.Network)
}

func answer(r *http.Request, a Answer) *http.Response {
	body, contentType := []byte(a.Text), a.ContentType
	if a.JSON != nil {
		body = a.JSON
		if contentType == "" {
			contentType = "application/json"
			if r.Header.Get("X-Amz-Target") != "" {
				contentType = "application/x-amz-json-1.1"
			}
		}
	}
	h := http.Header{}
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	for name, value := range a.Headers {
		h.Set(name, value)
	}
	length := int64(len(body))
	if a.Chunked {
		length = -1
	}
	return &http.Response{
		Status: http.StatusText(a.Status), StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: length, Request: r,
	}
}
