package amplify_test

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify"
)

// client is something that an App shares, and closes.
type client struct{ closed func() error }

func (c *client) Close(context.Context) error { return c.closed() }

func TestShared(t *testing.T) {
	app := newApp(t)
	var built int // in once, so that no lock is needed
	var all sync.WaitGroup
	values := make([]*client, 50)
	for i := range values {
		all.Go(func() {
			v, err := amplify.Shared(app, func(*amplify.App) (*client, error) {
				built++
				return &client{func() error { return nil }}, nil
			})
			if err != nil {
				t.Error(err)
			}
			values[i] = v
		})
	}
	all.Wait()
	if built != 1 || len(slices.Compact(values)) != 1 {
		t.Errorf("built %d times", built)
	}
	other, err := amplify.Shared(newApp(t), func(*amplify.App) (*client, error) { return &client{func() error { return nil }}, nil })
	if err != nil || other == values[0] {
		t.Errorf("two Apps share %v, %v", other, err)
	}
}

func TestSharedFails(t *testing.T) {
	app := newApp(t)
	type failing struct{}
	type panicking struct{}
	failed := errors.New("failed")
	for range 2 {
		if _, err := amplify.Shared(app, func(*amplify.App) (failing, error) { return failing{}, failed }); err != failed {
			t.Errorf("got %v", err)
		}
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = amplify.Shared(app, func(*amplify.App) (*panicking, error) { panic("of build") })
	}()
	if v, err := amplify.Shared(app, func(*amplify.App) (*panicking, error) { return &panicking{}, nil }); v != nil || err == nil {
		t.Errorf("after a panic: %v, %v", v, err)
	}
}

func TestClose(t *testing.T) {
	type first struct{ *client }
	type second struct{ *client }
	type late struct{ *client }
	var closed []string
	failed := errors.New("failed")
	app, err := amplify.New(amplify.Config{}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := amplify.Shared(app, func(app *amplify.App) (first, error) {
		_, err := amplify.Shared(app, func(*amplify.App) (second, error) {
			return second{&client{func() error { closed = append(closed, "second"); return failed }}}, nil
		})
		return first{&client{func() error { closed = append(closed, "first"); return nil }}}, err
	})
	_, err2 := amplify.Shared(app, func(*amplify.App) (int, error) { return 1, nil })
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if err := app.Close(t.Context()); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if err := app.Close(t.Context()); err != nil {
		t.Errorf("the second time: %v", err)
	}
	if !slices.Equal(closed, []string{"first", "second"}) {
		t.Errorf("closed %q", closed)
	}
	if _, err := amplify.Shared(app, func(*amplify.App) (late, error) { return late{}, nil }); amplify.ReasonOf(err) != amplify.ReasonConfiguration {
		t.Errorf("after Close: %v", err)
	}
}

// TestCloseWhileBuilding: what is built while the App closes is not left open.
func TestCloseWhileBuilding(t *testing.T) {
	app, err := amplify.New(amplify.Config{}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	_, err = amplify.Shared(app, func(app *amplify.App) (*client, error) {
		if err := app.Close(t.Context()); err != nil {
			t.Error(err)
		}
		return &client{func() error { closed = true; return nil }}, nil
	})
	if err == nil || !closed {
		t.Errorf("closed %v, %v", closed, err)
	}
}

func TestDefaults(t *testing.T) {
	app := newApp(t)
	if app.Logger() == nil || app.HTTPClient() == nil || time.Since(app.Now()) > time.Minute {
		t.Error("a default is missing")
	}
	if now := app.Now(); now != now.Round(0) {
		t.Errorf("%v: what is remembered would grow no older while the machine sleeps", now)
	}
	if app.HTTPClient() == http.DefaultClient || app.HTTPClient().Transport == http.DefaultTransport {
		t.Error("the client is shared with the rest of the process")
	}
	now := time.Unix(1, 0)
	own := &http.Client{Transport: &http.Transport{}, Timeout: time.Hour}
	app, err := amplify.New(amplify.Config{}, amplify.Options{Clock: func() time.Time { return now }, HTTPClient: own})
	if err != nil || app.Now() != now {
		t.Errorf("options are not taken: %v", err)
	}
	if c := app.HTTPClient(); c.Transport != own.Transport || c.Timeout != own.Timeout {
		t.Errorf("the client is %+v, want %+v", c, own)
	}
	if own.CheckRedirect != nil {
		t.Error("the client of the options was changed")
	}
}

// memory is a key-value storage that knows no greatest size and no SetAll.
type memory struct {
	values map[string]string
	refuse string
}

var errRefused = errors.New("refused")

func (m *memory) All(string) iter.Seq2[string, string] { return nil }
func (m *memory) Delete(key string) error              { delete(m.values, key); return nil }
func (m *memory) Writable() bool                       { return true }
func (m *memory) Set(key, value string) error {
	if key == m.refuse {
		return errRefused
	}
	m.values[key] = value
	return nil
}

func TestSetAll(t *testing.T) {
	m := &memory{values: map[string]string{}}
	if err := amplify.SetAll(m, [2]string{"a", "1"}, [2]string{"b", "2"}); err != nil || len(m.values) != 2 {
		t.Errorf("kept %v, %v", m.values, err)
	}
	m = &memory{values: map[string]string{"old": "0"}, refuse: "b"}
	if err := amplify.SetAll(m, [2]string{"a", "1"}, [2]string{"b", "2"}); !errors.Is(err, errRefused) || len(m.values) != 1 {
		t.Errorf("kept %v, %v", m.values, err)
	}
}
