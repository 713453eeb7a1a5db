package cognito_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"syscall"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/testpool"
)

// network is what lies between a server and a user pool. It loses the answers to the first
// refreshes.
type network struct {
	*testpool.Pool
	loses []func(*http.Response) (*http.Response, error) // an entry a refresh; nil: the answer arrives
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := n.Pool.RoundTrip(r)
	if err != nil || r.Header.Get("X-Amz-Target") == "" || len(n.loses) == 0 {
		return resp, err
	}
	lose := n.loses[0]
	n.loses = n.loses[1:]
	if lose == nil {
		return resp, nil
	}
	return lose(resp)
}

func broken(*http.Response) (*http.Response, error) { return nil, syscall.ECONNRESET }

// gateway is what a proxy answers that has waited for too long.
func gateway(resp *http.Response) (*http.Response, error) {
	resp.StatusCode, resp.Body = http.StatusGatewayTimeout, http.NoBody
	return resp, nil
}

// cut is a connection that broke in the middle of the answer.
func cut(resp *http.Response) (*http.Response, error) {
	resp.Body = io.NopCloser(io.LimitReader(resp.Body, 100))
	return resp, nil
}

// TestAnswerLost: a session that has ended because the answer to a refresh was lost is told from
// one that was ended.
func TestAnswerLost(t *testing.T) {
	type loses = []func(*http.Response) (*http.Response, error)
	for _, tt := range []struct {
		name     string
		loses    loses
		rotation cognito.RefreshTokenRotation
		want     amplify.Reason
	}{
		{"nothing", nil, cognito.RotationAuto, amplify.ReasonRefreshRejected},
		{"a broken connection", loses{broken}, cognito.RotationAuto, amplify.ReasonRefreshAnswerLost},
		{"a time-out of a gateway", loses{gateway}, cognito.RotationOn, amplify.ReasonRefreshAnswerLost},
		{"half of an answer", loses{cut}, cognito.RotationAuto, amplify.ReasonRefreshAnswerLost},
		{"in an earlier request", loses{broken, broken, broken}, cognito.RotationAuto, amplify.ReasonRefreshAnswerLost},
		{"where tokens do not rotate", loses{broken}, cognito.RotationOff, amplify.ReasonRefreshRejected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pool := testpool.New(t)
			rotating(pool, alice)
			n := &network{Pool: pool, loses: slices.Clone(tt.loses)}
			o := pool.Options()
			o.HTTPClient = &http.Client{Transport: n}
			app, err := amplify.New(pool.Config(), o)
			if err != nil {
				t.Fatal(err)
			}
			c, err := cognito.New(app, cognito.Options{RefreshTokenRotation: tt.rotation})
			if err != nil {
				t.Fatal(err)
			}
			kv := expired(pool, alice, "r1")
			if tt.loses == nil {
				kv = expired(pool, alice, "r0") // used long ago
			}
			for range 2 { // requests
				if _, err = tokens(t, c, kv); errors.Is(err, amplify.ErrUnauthenticated) {
					break
				}
				if len(kv.entries) == 0 {
					t.Fatalf("the session was deleted for %v", err)
				}
			}
			if got := amplify.ReasonOf(err); got != tt.want || !errors.Is(err, amplify.ErrUnauthenticated) {
				t.Errorf("reason %q (%v), want %q", got, err, tt.want)
			}
			var e *amplify.Error
			if errors.As(err, &e); e.Name != "RefreshTokenReuseException" {
				t.Errorf("name %q", e.Name)
			}
			if len(kv.entries) != 0 {
				t.Error("the session was not deleted")
			}
			if err := errors.Join(c.Close(t.Context()), app.Close(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
}
