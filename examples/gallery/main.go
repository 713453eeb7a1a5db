// Command gallery is a small web application that signs people in with Amplify Auth and keeps their
// photos with Amplify Storage and their notes with Amplify Data, on a backend that it brings along.
// Start it with
//
//	go run ./examples/gallery
//
// and open the address that it prints. The server signs people in through managed login; with
// -sign-in=browser Amplify JS does it in the page, and the server knows them by the cookies that it
// leaves.
//
// Read the files in this order: main.go (how it starts and stops), backend.go (the local stand-in
// for AWS) with splash.go (the picture that hangs there from the start), mode.go (who signs people
// in), amplify.go (Amplify, set up), routes.go (every address), then one file for each room:
// home.go, poster.go, signin.go or amplifyjs.go, account.go, profile.go, storeroom.go,
// currentuser.go. The visitor's photos have album.go (where they are in S3), photos.go (the album,
// and uploads), photo.go (one of them) and emptying.go (all of them removed). The notes have
// notebook.go (what they are, and whose), notes.go (the list), note.go (one of them, and its
// comments), writing.go (the form) and admin.go (those of all). What the rooms share is in
// visitor.go, page.go and problem.go; bundle.go makes the script for amplifyjs.go.
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
	by := flag.String("sign-in", string(byServer),
		"who signs people in: the server through managed login, or Amplify JS in the browser, which needs npm")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl+C ends the process at once
	if err := run(ctx, *addr, mode(*by), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
}

// run serves the gallery at addr until ctx is done.
func run(ctx context.Context, addr string, by mode, out io.Writer) error {
	if err := by.check(); err != nil {
		return err
	}
	var bundle []byte
	if by == byBrowser {
		var err error
		if bundle, err = bundleAmplifyJS(ctx, out); err != nil {
			return err
		}
	}

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

	gallery, err := newGallery(backend, by, originOf(listener), bundle)
	if err != nil {
		return err
	}
	defer gallery.Close()

	announce(out, originOf(listener), backend, by)
	return serve(ctx, listener, gallery.routes())
}
