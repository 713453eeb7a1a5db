// Command contract is a server with nothing but Amplify's APIs in it: for measuring what they cost,
// and for judging from outside what they do.
//
// PORT is the port to listen on (8080), AMPLIFY_OUTPUTS the backend's outputs
// (amplify_outputs.json). AWS is reached at the addresses that the outputs and the environment
// tell, AWS's own by default.
//
//	GET /hello         "hello", without Amplify
//	GET /me            {"username", "userId"} of the user
//	GET /session       {"sub", "identityId", "hasCredentials"}
//	GET /attributes    the user's attributes
//	GET /file          {"url"} to download public/a.txt
//	GET /list?prefix=  {"items": [{"path", "size", "eTag", "lastModified"}], "nextToken"}
//	GET /notes         {"items", "nextToken"} of the model Note, 20 at most, as the user
//	GET /protected/me  like /me, behind RequireUser
//
// Errors are {"error", "reason"} with status 401 if no user is signed in, and 503 where that cannot
// be told.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listening := func(addr net.Addr) { fmt.Printf("listening on %s\n", addr) }
	if err := run(ctx, os.Getenv, listening); err != nil {
		fmt.Fprintln(os.Stderr, "contract:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done, and calls listening once it does. Requests that are
// under way at the end are finished.
func run(ctx context.Context, getenv func(string) string, listening func(net.Addr)) error {
	cfg, err := amplify.LoadConfig(cmp.Or(getenv("AMPLIFY_OUTPUTS"), "amplify_outputs.json"))
	if err != nil {
		return err
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{Bearer: true})
	if err != nil {
		return err
	}
	handler, err := newHandler(runner)
	if err != nil {
		return errors.Join(err, runner.Close(ctx))
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("", cmp.Or(getenv("PORT"), "8080")))
	if err != nil {
		return errors.Join(err, runner.Close(ctx))
	}
	listening(listener.Addr())

	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(ending), runner.Close(ending))
}
