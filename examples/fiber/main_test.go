package main

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/gofiber/fiber/v3"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyfiber"
	"github.com/amplify-go/amplify/internal/frameworktest"
)

func TestApplication(t *testing.T) { frameworktest.Run(t, serve) }

func BenchmarkMe(b *testing.B) { frameworktest.Benchmark(b, serve) }

// serve is a [frameworktest.Serve].
func serve(t testing.TB, cfg amplify.Config, o amplifyfiber.Options) (address string) {
	runner, err := amplifyfiber.NewServerRunner(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	app, err := newApp(runner, o.Origin != "")
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- app.Listener(listener, fiber.ListenConfig{DisableStartupMessage: true}) }()
	t.Cleanup(func() {
		if err := errors.Join(app.Shutdown(), <-served, runner.Close(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String()
}
