package engine

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/sandbox"
)

// TestIsolation: three user pools in one process, with users of the same names. Two of them cannot
// be told apart by their ids: they have the same outputs, and differ in keys and addresses alone.
// What belongs to one is nothing to another, be it good or expired.
func TestIsolation(t *testing.T) {
	noLeaks(t)
	c := newClock()
	var emails []string
	for i := range 10 {
		emails = append(emails, fmt.Sprintf("user%d@example.com", i))
	}
	first := startPool(t, c, sandbox.Config{}, emails...)
	twin := startPool(t, c, sandbox.Config{Outputs: first.Outputs()}, emails...)
	other := startPool(t, c, sandbox.Config{}, emails...)

	// The environment is for those whose configuration says nothing.
	t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", other.URL())
	t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY", other.URL())
	mute := other.config(t, "")
	mute.Custom = nil

	type tenant struct {
		name     string
		pool     *pool
		app      *app
		browsers []*browser
	}
	tenants := []*tenant{
		{name: "first", pool: first, app: startApp(t, c, first.config(t, ""), amplify.Options{})},
		{name: "twin", pool: twin, app: startApp(t, c, twin.config(t, ""), amplify.Options{})},
		{name: "other", pool: other, app: startApp(t, c, mute, amplify.Options{Endpoints: amplify.Endpoints{UserPoolKeys: other.URL()}})},
	}
	for _, of := range tenants {
		for _, email := range emails {
			of.browsers = append(of.browsers, of.pool.signIn(t, of.app, email))
		}
	}
	for _, age := range []time.Duration{0, 2 * time.Hour} {
		c.advance(age)
		for _, of := range tenants {
			of.pool.ResetCalls()
		}
		var visits sync.WaitGroup
		for _, at := range tenants {
			for _, of := range tenants {
				for i, b := range of.browsers {
					cookies := b.cookies()
					visits.Go(func() {
						said, err := at.app.get(t.Context(), cookies)
						switch {
						case err != nil:
							t.Error(err)
						case at == of:
							b.wantUser(t, said)
							b.keep(said.cookies)
						case said.status != http.StatusUnauthorized || said.Sub != "" || len(said.cookies) > 0:
							t.Errorf("%s, with the session of user %d of %s after %v: status %d for user %q, %d cookies set",
								at.name, i, of.name, age, said.status, said.Sub, len(said.cookies))
						}
					})
				}
			}
		}
		visits.Wait()
		for _, of := range tenants {
			want := 0
			if age > 0 {
				want = len(emails)
			}
			if n := of.pool.Calls()[refresh]; n != want {
				t.Errorf("%s: %d refreshes after %v, want %d", of.name, n, age, want)
			}
		}
	}
}
