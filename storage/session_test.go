package storage_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/storage"
)

// TestListEndsWithTheContext: an iterator asks for no page once its server context has closed.
func TestListEndsWithTheContext(t *testing.T) {
	s := newFakeS3(t)
	for i := range 1500 {
		s.put(fmt.Sprintf("a/%04d", i))
	}
	credentials := s.credentials("me")
	ctx, done := amplify.WithServerContext(t.Context(), s.app(t, config()), amplify.Providers{
		Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return credentials, nil }),
	})
	n := 0
	var last error
	for _, err := range storage.ListAll(ctx, storage.ListInput{Path: storage.Path("a/")}) {
		if last = err; err == nil {
			n++
			done()
		}
	}
	if n != 1000 || !errors.Is(last, amplify.ErrServerContextClosed) {
		t.Errorf("%d objects, %v", n, last)
	}
}

// keeper is a session that ends.
type keeper struct{ life context.Context }

func (keeper) Start(context.Context, amplify.IssuedTokens) error { return nil }

func (keeper) End(context.Context, amplify.EndInput) error { return nil }

func (k keeper) Lifetime() context.Context { return k.life }

// TestListEndsWithTheSession: an iterator that began as one user does not go on as another.
func TestListEndsWithTheSession(t *testing.T) {
	s := newFakeS3(t)
	for i := range 1500 {
		s.put(fmt.Sprintf("a/%04d", i))
	}
	life, end := context.WithCancelCause(t.Context())
	defer end(nil)
	current := s.credentials("alice")
	ctx, done := amplify.WithServerContext(t.Context(), s.app(t, config()), amplify.Providers{
		Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return current, nil }),
		Session:     keeper{life},
	})
	defer done()
	n := 0
	var last error
	for _, err := range storage.ListAll(ctx, storage.ListInput{Path: storage.Path("a/")}) {
		if last = err; err == nil {
			if n++; n == 1 {
				current = s.credentials("bob")
				end(amplify.Unauthenticated(amplify.ReasonSessionReplaced, nil))
			}
		}
	}
	if n != 1000 || amplify.ReasonOf(last) != amplify.ReasonSessionReplaced {
		t.Errorf("%d objects, %v", n, last)
	}
}

// TestSessionChangesBeforeTheCall: the path of one user is not asked for as another, who has signed
// in just after the path was made.
func TestSessionChangesBeforeTheCall(t *testing.T) {
	s := newFakeS3(t)
	s.put("alice/a", "bob/a")
	alice, bob := s.credentials("alice"), s.credentials("bob")
	for name, call := range functions {
		if name == "Locations" {
			continue // which makes none
		}
		life, end := context.WithCancelCause(t.Context())
		asked := 0
		ctx, done := amplify.WithServerContext(t.Context(), s.app(t, config()), amplify.Providers{
			Credentials: credentialsFunc(func() (*amplify.Credentials, error) {
				if asked++; asked > 1 {
					return bob, nil
				}
				end(amplify.Unauthenticated(amplify.ReasonSessionReplaced, nil))
				return alice, nil
			}),
			Session: keeper{life},
		})
		if err := call(ctx); amplify.ReasonOf(err) != amplify.ReasonSessionReplaced {
			t.Errorf("%s: %v", name, err)
		}
		done()
		end(nil)
	}
	if calls := s.took(); len(calls) > 0 {
		t.Errorf("S3 was called: %q", calls)
	}
}

// TestManyUsersAtOnce makes calls of many users through one App, whose client and signers they
// share. S3 must see the credentials of each with the path of each.
func TestManyUsersAtOnce(t *testing.T) {
	s := newFakeS3(t)
	app := s.app(t, config())
	s.refuse = func(_, key string) string {
		if strings.HasPrefix(key, "private/") {
			return ""
		}
		return "AccessDenied"
	}
	var all sync.WaitGroup
	for i := range 20 {
		id := fmt.Sprintf("user%d", i)
		s.put("private/" + id + "/a")
		ctx := s.in(t, app, id)
		all.Go(func() {
			own := storage.PathFunc(func(identity string) string { return "private/" + identity + "/a" })
			for range 10 {
				u, err := storage.GetURL(ctx, storage.GetURLInput{Path: own})
				if err != nil || !strings.Contains(u.URL, "/private/"+id+"/a?") || !strings.Contains(u.URL, "Credential=ASIA"+id+"%2F") {
					t.Errorf("%s: %+v, %v", id, u, err)
				} else if got := download(t, u.URL); got != "private/"+id+"/a" {
					t.Errorf("%s: %s", id, got)
				}
				if p, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: own}); err != nil || p.Path != "private/"+id+"/a" {
					t.Errorf("%s: %+v, %v", id, p, err)
				}
			}
		})
	}
	all.Wait()
}

// TestExpiredCredentials: S3 says that they have expired; they are renewed once.
func TestExpiredCredentials(t *testing.T) {
	s := newFakeS3(t)
	old, renewed := s.credentials("old"), s.credentials("new")
	for name, c := range map[string]struct {
		fresh *amplify.Credentials
		calls int
	}{"renewed": {renewed, 1}, "not renewed": {old, 0}} {
		forced := 0
		provider := providerFunc(func(in amplify.CredentialsInput) (*amplify.Credentials, error) {
			if in.ForceRefresh {
				forced++
				return c.fresh, nil
			}
			return old, nil
		})
		app, err := amplify.New(config(), amplify.Options{
			Endpoints:  amplify.Endpoints{Storage: s.URL},
			HTTPClient: &http.Client{Transport: expiring{s, "ASIAold"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{Credentials: provider})
		_, err = storage.List(ctx, storage.ListInput{Path: storage.Path("a")})
		done()
		if (err == nil) != (c.calls == 1) || forced != 1 || len(s.took()) != c.calls {
			t.Errorf("%s: %v after %d refreshes", name, err, forced)
		}
		if e, ok := err.(*amplify.Error); err != nil && (!ok || e.Name != "ExpiredToken") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type providerFunc func(amplify.CredentialsInput) (*amplify.Credentials, error)

func (f providerFunc) Credentials(_ context.Context, in amplify.CredentialsInput) (*amplify.Credentials, error) {
	return f(in)
}

// expiring answers calls with one access key as S3 answers expired credentials.
type expiring struct {
	service *fakeS3
	key     string
}

func (e expiring) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.Header.Get("Authorization"), e.key) {
		canned := &cannedService{secrets: e.service.secrets, responses: []canned{{Status: 400, Text: "<Error><Code>ExpiredToken</Code><Message>m</Message></Error>"}}}
		return canned.RoundTrip(r)
	}
	return http.DefaultTransport.RoundTrip(r)
}
