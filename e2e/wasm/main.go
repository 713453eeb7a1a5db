// Command wasm uses the library under GOOS=js. The tests of package e2e run it in Node.js. It reads
// an Input from standard input and prints an Output, both as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
)

// Input says what to do. The addresses are on the loopback interface.
type Input struct {
	Outputs json.RawMessage // amplify_outputs.json
	Cookies string          // a Cookie header with a session
	// Redirects answers every request with status 307, to the same path at another address.
	Redirects string
	// Silent sends no answer, and Stalls the beginning of one.
	Silent, Stalls string
}

// Output says what came of it.
type Output struct {
	User, Email string
	SetCookies  []string          // of a response whose request refreshed its session
	Errors      map[string]string // of calls that should fail, by name
	Seconds     map[string]float64
}

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err := run(); err != nil {
		slog.Error("wasm", "error", err)
		os.Exit(1)
	}
}

func run() error {
	var in Input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	out := Output{Errors: map[string]string{}, Seconds: map[string]float64{}}
	ctx := context.Background()
	request := func(o amplify.Options, operation func(context.Context, *amplify.App) error) error {
		return withRequest(ctx, in, o, http.Header{}, operation)
	}

	// A request of a signed-in user: keys, attributes and tokens come by fetch.
	if err := request(amplify.Options{}, func(ctx context.Context, _ *amplify.App) error {
		user, err1 := auth.GetCurrentUser(ctx)
		attributes, err2 := auth.FetchUserAttributes(ctx)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		out.User, out.Email = user.Username, attributes["email"]
		return nil
	}); err != nil {
		return err
	}

	// A request that refreshes its session: its response takes the new cookies along.
	refresh := func(ctx context.Context, _ *amplify.App) error {
		_, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{ForceRefresh: true})
		return err
	}
	response := http.Header{}
	if err := withRequest(ctx, in, amplify.Options{}, response, refresh); err != nil {
		return err
	}
	out.SetCookies = response["Set-Cookie"]

	// The calls below fail, each in its own time.
	var mu sync.Mutex
	var all sync.WaitGroup
	fails := func(name string, o amplify.Options, operation func(context.Context, *amplify.App) error) {
		all.Go(func() {
			start := time.Now()
			err := request(o, operation)
			mu.Lock()
			defer mu.Unlock()
			out.Seconds[name] = time.Since(start).Seconds()
			if err != nil {
				out.Errors[name] = err.Error()
			}
		})
	}
	get := func(address string) func(context.Context, *amplify.App) error {
		return func(ctx context.Context, app *amplify.App) error {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
			if err != nil {
				return err
			}
			resp, err := app.HTTPClient().Do(r)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		}
	}
	elsewhere := amplify.Endpoints{UserPool: in.Redirects}
	stalls := amplify.Endpoints{UserPool: in.Stalls}
	fails("redirected refresh", amplify.Options{Endpoints: elsewhere}, refresh)
	fails("redirected refresh by another client",
		amplify.Options{Endpoints: elsewhere, HTTPClient: &http.Client{}}, refresh)
	fails("redirected request", amplify.Options{}, get(in.Redirects))
	fails("redirected request by another client",
		amplify.Options{HTTPClient: &http.Client{}}, get(in.Redirects))
	fails("no answer", amplify.Options{}, get(in.Silent))
	fails("half of an answer", amplify.Options{}, get(in.Stalls))
	fails("half of the attributes", amplify.Options{Endpoints: stalls, HTTPClient: &http.Client{}},
		func(ctx context.Context, _ *amplify.App) error {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err := auth.FetchUserAttributes(ctx)
			return err
		})
	all.Wait()

	// fetch itself follows redirects. The calls above would prove nothing if it did not.
	resp, err := http.Get(in.Redirects + "/control")
	if err != nil {
		return err
	}
	resp.Body.Close()
	return json.NewEncoder(os.Stdout).Encode(out)
}

// withRequest runs operation as the user of in.Cookies, in an App of its own. Cookies are set in
// response.
func withRequest(
	ctx context.Context, in Input, o amplify.Options, response http.Header,
	operation func(context.Context, *amplify.App) error,
) error {
	cfg, err := amplify.ParseConfig(in.Outputs)
	if err != nil {
		return err
	}
	app, err := amplify.New(cfg, o)
	if err != nil {
		return err
	}
	defer app.Close(ctx)
	source, err := cognito.New(app, cognito.Options{})
	if err != nil {
		return err
	}
	defer source.Close(ctx)
	store := cookie.NewHeaderStore(http.Header{"Cookie": {in.Cookies}}, response)
	kv := cookie.NewKeyValueStorage(store, cookie.Options{})
	_, err = amplify.RunWithServerContext(ctx, app, amplify.Providers{Tokens: source.TokenProvider(kv)},
		func(ctx context.Context) (struct{}, error) { return struct{}{}, operation(ctx, app) })
	return err
}
