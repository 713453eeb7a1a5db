// Command gallery is a small web application that signs people in with Amplify Auth, on a
// backend that it brings along. Start it with
//
//	go run ./examples/gallery
//
// and open the address that it prints.
//
// Read the files in this order: main.go (how it starts and stops), backend.go (the local stand-in for
// AWS), amplify.go (Amplify, set up), routes.go (every address), then one file for each room: home.go,
// signin.go, account.go, profile.go, currentuser.go. What they share is in visitor.go, page.go and problem.go.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	addr := flag.String("addr", "localhost:"+cmp.Or(os.Getenv("PORT"), "3000"),
		"where to listen; the environment variable PORT changes the port alone")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl+C ends the process at once
	if err := run(ctx, *addr, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
}

// run serves the gallery at addr until ctx is done.
func run(ctx context.Context, addr string, out io.Writer) error {
	listener, err := listen(addr, out)
	if err != nil {
		return err
	}
	defer listener.Close()

	backend, err := startBackend(ctx, originOf(listener))
	if err != nil {
		return err
	}
	defer backend.Close()

	gallery, err := newGallery(backend, originOf(listener))
	if err != nil {
		return err
	}
	defer gallery.Close()

	announce(out, originOf(listener), backend)
	return serve(ctx, listener, gallery.routes())
}
