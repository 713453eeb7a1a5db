// Command container is an application for a container behind a load balancer: it says whether it is
// ready, and finishes its requests before it stops. docs/guides/deploy.md tells about it.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

// run serves until ctx ends, and then finishes the requests that are under way.
func run(ctx context.Context) error {
	cfg, err := amplify.LoadConfig(cmp.Or(os.Getenv("AMPLIFY_OUTPUTS"), "amplify_outputs.json"))
	if err != nil {
		return err
	}
	port := cmp.Or(os.Getenv("PORT"), "3000")
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{
		// Where browsers find the application.
		Origin: cmp.Or(os.Getenv("AMPLIFY_APP_ORIGIN"), "http://localhost:"+port),
	})
	if err != nil {
		return err
	}
	app, err := newHandler(runner)
	if err != nil {
		return err
	}
	health := &health{}
	mux := http.NewServeMux()
	mux.Handle("/", app)
	mux.HandleFunc("GET /health/live", health.live)
	mux.HandleFunc("GET /health/ready", health.answer)

	listener, err := net.Listen("tcp", ":"+port) // of all interfaces: a container has its own
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 10 * time.Second, // clients that send slowly hold no connection
		IdleTimeout:       2 * time.Minute,  // the load balancer is to close first
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Print("listening on ", listener.Addr())
	go health.wait(ctx, runner)

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	log.Print("stopping when all requests are done")
	health.ready.Store(false)
	// ECS and Kubernetes kill a container 30 seconds after they have asked it to stop.
	grace, cancel := context.WithTimeout(context.Background(), 25*time.Second)
	defer cancel()
	// The runner comes last: the requests need it.
	return errors.Join(server.Shutdown(grace), runner.Close(grace))
}

// health says how the process is.
type health struct {
	ready atomic.Bool
}

// wait makes the process ready once it has the keys of the user pool. It stays ready when Cognito
// fails later: known keys go on serving, and to stop all processes at a time would help nobody.
func (h *health) wait(ctx context.Context, runner *amplifyhttp.ServerRunner) {
	for {
		err := runner.WarmUp(ctx)
		if err == nil {
			h.ready.Store(ctx.Err() == nil)
			return
		}
		log.Print("not ready: ", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// live is for what restarts a process that hangs. It asks nobody else: a restart mends no network.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "live")
}

// answer is for the load balancer.
func (h *health) answer(w http.ResponseWriter, _ *http.Request) {
	if !h.ready.Load() {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

func newHandler(runner *amplifyhttp.ServerRunner) (http.Handler, error) {
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{RedirectOnSignInComplete: "/"})
	if err != nil {
		return nil, err
	}
	signedIn, err := runner.RequireUser(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", routes)
	mux.Handle("GET /{$}", signedIn(http.HandlerFunc(greet)))
	return runner.Protect(runner.Middleware(mux)), nil
}

func greet(w http.ResponseWriter, r *http.Request) {
	user, err := auth.GetCurrentUser(r.Context())
	if err != nil {
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "Hello, %s!\n", cmp.Or(user.Name, user.Email, user.Username))
}
