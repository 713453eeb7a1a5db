package amplifyhttp

import (
	"context"
	"net/http"
	"testing"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/flowtest"
)

const testPrefix = flowtest.Prefix

// private is the Cache-Control of what depends on a session.
const private = "private, no-store"

var (
	request, serve, setCookies, bodyTargets = flowtest.Request, flowtest.Serve, flowtest.SetCookies, flowtest.BodyTargets
	navigation, fetched, fromAfar           = flowtest.Navigation, flowtest.Fetched, flowtest.FromAfar
)

// fixture is a runner on a backend of the tests.
type fixture struct {
	*ServerRunner
	backend  *flowtest.Backend
	upstream *conformance.Upstream
}

// newFixture returns a runner. change may alter its configuration and options.
func newFixture(t testing.TB, answers map[string][]conformance.Answer, change func(*amplify.Config, *Options)) *fixture {
	t.Helper()
	b := flowtest.New(t, answers)
	o := Options{Origin: flowtest.Origin, App: b.App}
	if change != nil {
		change(&b.Config, &o)
	}
	runner, err := NewServerRunner(b.Config, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runner.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &fixture{runner, b, b.Upstream}
}

func ok(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

// must returns the middleware of a guard.
func must(guard func(http.Handler) http.Handler, err error) func(http.Handler) http.Handler {
	if err != nil {
		panic(err)
	}
	return guard
}
