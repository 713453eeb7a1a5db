package awsapi_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// upstream is a network that answers every call with a body of its own.
type upstream struct {
	status int
	body   func(*http.Request) io.ReadCloser
	calls  int
}

func (u *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	u.calls++
	if u.body == nil { // it never answers
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: u.status, Header: http.Header{}, Body: u.body(r), Request: r}, nil
}

// stalled is a body that begins and does not go on.
type stalled struct {
	begin io.Reader
	ended <-chan struct{}
	err   func() error
	close func()
}

func (s *stalled) Read(p []byte) (int, error) {
	if n, err := s.begin.Read(p); err == nil {
		return n, nil
	}
	<-s.ended
	return 0, s.err()
}

func (s *stalled) Close() error { s.close(); return nil }

// stalls ends with the context of the request, as the bodies of net/http do.
func stalls(r *http.Request) io.ReadCloser {
	return &stalled{strings.NewReader(`{"Username":`), r.Context().Done(), r.Context().Err, func() {}}
}

// stallsUntilClosed ends when it is closed, and then as if it were complete, as bodies of fetch do.
func stallsUntilClosed(*http.Request) io.ReadCloser {
	ended := make(chan struct{})
	return &stalled{
		strings.NewReader(`{"Username":"alice"}`), ended, func() error { return io.EOF },
		sync.OnceFunc(func() { close(ended) }),
	}
}

// blanks is an endless body.
type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func body(r io.Reader) func(*http.Request) io.ReadCloser {
	return func(*http.Request) io.ReadCloser { return io.NopCloser(r) }
}

// TestLimits makes calls through an HTTP client without time-outs.
func TestLimits(t *testing.T) {
	const timeout, backoff = awsapi.AttemptTimeout, 300 * time.Millisecond
	for _, c := range []struct {
		name     string
		upstream upstream
		calls    int // each of which may take the time-out
	}{
		{"no answer", upstream{}, awsapi.Attempts},
		{"stalls", upstream{200, stalls, 0}, awsapi.Attempts},
		{"stalls until it is closed", upstream{200, stallsUntilClosed, 0}, awsapi.Attempts},
		{"stalls with an error", upstream{400, stalls, 0}, awsapi.Attempts},
		{"endless", upstream{200, body(blanks{}), 0}, 1},
		{"endless after the answer", upstream{
			200, body(io.MultiReader(strings.NewReader(`{"Username":"alice"}`), blanks{})), 0,
		}, 1},
		{"endless with an error", upstream{400, body(blanks{}), 0}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := userPool(t, appOn(t, &c.upstream))
				start := time.Now()
				_, err := client.GetUser(t.Context(), getUser)
				if err == nil {
					t.Fatal("no error")
				}
				e := awsapi.Error(err)
				if e.Name != "NetworkError" || e.Reason != amplify.ReasonServiceUnavailable || e.Err == nil {
					t.Errorf("got %v (%v)", e, err)
				}
				if c.upstream.calls != c.calls {
					t.Errorf("%d calls, want %d", c.upstream.calls, c.calls)
				}
				took, most := time.Since(start), time.Duration(c.calls)*timeout+backoff
				if took > most {
					t.Errorf("took %v, want %v at most", took, most)
				}
			})
		})
	}
}

// TestThrottledWithoutBody checks that the status counts when the body cannot be read.
func TestThrottledWithoutBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := &upstream{status: http.StatusTooManyRequests, body: stalls}
		_, err := userPool(t, appOn(t, u)).GetUser(t.Context(), getUser)
		if !awsapi.Throttled(err) {
			t.Errorf("got %v", err)
		}
	})
}

func TestLargestAnswer(t *testing.T) {
	const answer = `{"Username":"alice","UserAttributes":[]}`
	full := answer + strings.Repeat(" ", awsapi.MaxAnswer-len(answer))
	u := &upstream{status: 200, body: body(strings.NewReader(full))}
	out, err := userPool(t, appOn(t, u)).GetUser(t.Context(), getUser)
	if err != nil || aws.ToString(out.Username) != "alice" {
		t.Errorf("got %v, %v", out, err)
	}
}

// TestCallerGivesUp checks that the context of a call ends it while the body is read.
func TestCallerGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := userPool(t, appOn(t, &upstream{status: 200, body: stalls})).GetUser(ctx, getUser)
		if e := awsapi.Error(err); e.Reason != amplify.ReasonServiceUnavailable || time.Since(start) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

// TestUnlimited reads an answer that is longer and comes later than the limits allow.
func TestUnlimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := func(*http.Request) io.ReadCloser {
			time.Sleep(2 * awsapi.AttemptTimeout)
			return io.NopCloser(io.LimitReader(blanks{}, 2*awsapi.MaxAnswer))
		}
		app := appOn(t, &upstream{status: 200, body: late})
		type large struct{ aws.HTTPClient }
		client, err := awsapi.Client(app, "eu-west-1", func(s awsapi.Settings) large {
			return large{s.Unlimited().HTTPClient}
		})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://s3.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if n, err := io.Copy(io.Discard, resp.Body); n != 2*awsapi.MaxAnswer || err != nil {
			t.Errorf("read %d bytes, %v", n, err)
		}
	})
}

// TestLimitsOfConnections checks the limits on bodies of net/http.
func TestLimitsOfConnections(t *testing.T) {
	for name, write := range map[string]func(http.ResponseWriter, *http.Request){
		"stalls": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"Username":`)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"endless": func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, blanks{}) },
	} {
		t.Run(name, func(t *testing.T) {
			service := httptest.NewServer(http.HandlerFunc(write))
			defer service.Close()
			s := cognitoidentityprovider.Options{
				Region: "eu-west-1", BaseEndpoint: &service.URL, Credentials: aws.AnonymousCredentials{},
				HTTPClient: awsapi.Limit(&http.Client{}, 64<<10, 100*time.Millisecond),
				Retryer:    awsapi.Retryer(),
			}
			_, err := cognitoidentityprovider.New(s).GetUser(t.Context(), getUser)
			if err == nil || awsapi.Error(err).Reason != amplify.ReasonServiceUnavailable {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestRedirect checks that the token of a call does not follow a redirect, although the HTTP client
// of the user's follows them.
func TestRedirect(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("followed")
	}))
	defer elsewhere.Close()
	service := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer service.Close()
	app, err := amplify.New(amplify.Config{}, amplify.Options{HTTPClient: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	type redirected struct {
		*cognitoidentityprovider.Client
	}
	client, err := awsapi.Client(app, "eu-west-1", func(s awsapi.Settings) redirected {
		return redirected{cognitoidentityprovider.New(cognitoidentityprovider.Options{
			Region: s.Region, HTTPClient: s.HTTPClient, Retryer: s.Retryer,
			BaseEndpoint: &service.URL, Credentials: aws.AnonymousCredentials{},
		})}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetUser(t.Context(), getUser); err == nil {
		t.Error("no error")
	}
}

func appOn(t *testing.T, network http.RoundTripper) *amplify.App {
	t.Helper()
	auth := &amplify.AuthConfig{UserPoolID: "eu-west-1_Pool", UserPoolClientID: "client"}
	app, err := amplify.New(amplify.Config{Auth: auth},
		amplify.Options{HTTPClient: &http.Client{Transport: network}})
	if err != nil {
		t.Fatal(err)
	}
	return app
}
