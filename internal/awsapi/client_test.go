package awsapi_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/awsapi"
)

// client is a client of a service.
type client struct{ region string }

// TestClient asks for the clients of two regions in two Apps from many goroutines. Each region of
// each App must get one client.
func TestClient(t *testing.T) {
	const callers = 20
	type place struct{ app, region int }
	apps := []*amplify.App{newApp(t), newApp(t)}
	regions := []string{"eu-west-1", "us-east-1"}
	got := map[place]*[callers]*client{}
	var built atomic.Int32
	var all sync.WaitGroup
	for a, app := range apps {
		for r, region := range regions {
			found := &[callers]*client{}
			got[place{a, r}] = found
			for i := range callers {
				all.Go(func() {
					c, err := awsapi.Client(app, region, func(s awsapi.Settings) *client {
						built.Add(1)
						return &client{s.Region}
					})
					if err != nil {
						t.Error(err)
					}
					found[i] = c
				})
			}
		}
	}
	all.Wait()
	if n := built.Load(); n != 4 {
		t.Errorf("%d clients were built, want 4", n)
	}
	seen := map[*client]bool{}
	for p, found := range got {
		if len(slices.Compact(found[:])) != 1 || found[0] == nil || found[0].region != regions[p.region] {
			t.Errorf("%+v: got %v", p, found)
		}
		seen[found[0]] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d different clients, want 4", len(seen))
	}
}

// TestClientTypes checks that packages which use types of their own do not share a client.
func TestClientTypes(t *testing.T) {
	type mine struct{ *client }
	type yours struct{ *client }
	app := newApp(t)
	a, err1 := awsapi.Client(app, "eu-west-1", func(awsapi.Settings) mine { return mine{&client{}} })
	b, err2 := awsapi.Client(app, "eu-west-1", func(awsapi.Settings) yours { return yours{&client{}} })
	if err := errors.Join(err1, err2); err != nil || a.client == b.client {
		t.Errorf("got %v and %v, %v", a, b, err)
	}
}

func TestClientOfClosedApp(t *testing.T) {
	app := newApp(t)
	if err := app.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, err := awsapi.Client(app, "eu-west-1", func(awsapi.Settings) *client { return &client{} })
	if c != nil || amplify.ReasonOf(err) != amplify.ReasonConfiguration {
		t.Errorf("got %v, %v", c, err)
	}
}

func newApp(t *testing.T) *amplify.App {
	t.Helper()
	app, err := amplify.New(amplify.Config{}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Close(t.Context()) })
	return app
}
