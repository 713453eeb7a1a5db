package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// listen listens at addr or, if another program holds its port, at one that is free.
func listen(addr string, out io.Writer) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return listener, err
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	listener, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err == nil {
		fmt.Fprintf(out, "\n  Port %s is taken by another program, so the gallery opens on one that is free.\n", port)
	}
	return listener, err
}

// originOf returns the origin under which browsers are to open the gallery. It is always localhost:
// browsers count that as secure, and its cookies stay apart from the backend's at 127.0.0.1.
func originOf(listener net.Listener) string {
	return "http://localhost:" + strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// serve answers requests until ctx is done, and lets those under way finish.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stopped := make(chan error, 1)
	context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		stopped <- server.Shutdown(ctx)
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

// announce prints what a newcomer wants to know.
func announce(out io.Writer, origin string, b *backend, by mode) {
	fmt.Fprintf(out, "\n  Gallery     %s\n\n", origin)
	label := "Sign in as"
	for _, u := range b.Users {
		fmt.Fprintf(out, "  %-10s  %-18s password %s", label, u.Email, u.Password)
		if u.Groups != nil {
			fmt.Fprintf(out, "  groups %s", strings.Join(u.Groups, ", "))
		}
		fmt.Fprintln(out)
		label = ""
	}
	how := "through managed login; make demo SIGN_IN=browser shows the other mode"
	if by == byBrowser {
		how = "by Amplify JS in the page; make demo shows the other mode"
	}
	fmt.Fprintf(out, "  %-10s  %s\n", "", how)
	fmt.Fprintf(out, "\n  Inbox       %s\n  Console     %s\n\n  Press Ctrl+C to stop.\n\n", b.Inbox, b.Console)
}
