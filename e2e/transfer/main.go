// Command transfer is a server whose users keep files in storage. The tests of package e2e run it
// as a process of its own, to measure its memory and to kill it.
//
//	PUT /NAME  uploads the body as the user's file NAME, as a stream of unknown length
//	GET /NAME  downloads the user's file NAME
//
// AMPLIFY_OUTPUTS is the backend's outputs. The server prints its address, and why uploads have
// failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/storage"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "transfer:", err)
		os.Exit(1)
	}
}

// run serves until ctx is done.
func run(ctx context.Context) error {
	cfg, err := amplify.LoadConfig(os.Getenv("AMPLIFY_OUTPUTS"))
	if err != nil {
		return err
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /{name}", upload)
	mux.HandleFunc("GET /{name}", download)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, runner.Close(ctx))
	}
	fmt.Printf("http://%s\n", listener.Addr())
	server := &http.Server{Handler: runner.Middleware(mux), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err = server.Serve(listener); errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, runner.Close(context.WithoutCancel(ctx)))
}

// file returns the path of the file that a request names.
func file(r *http.Request) storage.ObjectPath {
	return storage.PathFunc(func(id string) string {
		return "private/" + id + "/" + r.PathValue("name")
	})
}

func upload(w http.ResponseWriter, r *http.Request) {
	out, err := storage.UploadData(r.Context(), storage.UploadDataInput{Path: file(r), Body: r.Body})
	if err != nil {
		fmt.Printf("upload of %s: %v\n", r.PathValue("name"), err)
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = fmt.Fprintln(w, out.Size)
}

func download(w http.ResponseWriter, r *http.Request) {
	out, err := storage.DownloadData(r.Context(), storage.DownloadDataInput{Path: file(r)})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer out.Body.Close()
	w.Header().Set("Content-Length", strconv.FormatInt(out.Length, 10))
	if _, err := io.Copy(w, out.Body); err != nil {
		panic(http.ErrAbortHandler) // the rest is missing, and the client must see that
	}
}
