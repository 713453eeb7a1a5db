package sandbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/tlsca"
)

// listen opens the listeners that cfg asks for.
func (s *Sandbox) listen(ctx context.Context, cfg Config) (listeners []net.Listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
		}
	}()
	plain, err := listenLoopback(ctx, cfg.Addr)
	if err != nil {
		return nil, err
	}
	listeners = append(listeners, plain)
	s.url = "http://" + plain.Addr().String()
	if cfg.TLSAddr == "" {
		return listeners, nil
	}
	config, err := s.tlsConfig(ctx)
	if err != nil {
		return listeners, fmt.Errorf("sandbox: TLS: %w", err)
	}
	secure, err := listenLoopback(ctx, cfg.TLSAddr)
	if err != nil {
		return listeners, err
	}
	s.tlsURL = "https://" + secure.Addr().String()
	return append(listeners, tls.NewListener(secure, config)), nil
}

func listenLoopback(ctx context.Context, addr string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("sandbox: address %q: %w", addr, err)
	}
	if !isLoopback(host) {
		return nil, fmt.Errorf("sandbox: address %q is not a loopback address: the sandbox must not be reached from other machines, use 127.0.0.1", addr)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if err := checkLoopback(l.Addr()); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// checkLoopback refuses the address that a listener got unless it is a loopback address. A name
// server can give a name below localhost any address.
func checkLoopback(addr net.Addr) error {
	if tcp, ok := addr.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return fmt.Errorf("sandbox: the name of the address leads to %v, which is not a loopback address: use 127.0.0.1", addr)
	}
	return nil
}

// tlsConfig returns a configuration with a certificate of the sandbox's own authority.
func (s *Sandbox) tlsConfig(ctx context.Context) (*tls.Config, error) {
	if err := s.loadCA(ctx); err != nil {
		return nil, err
	}
	cert, err := s.ca.Certificate(slices.Concat(s.hosts, []string{"localhost", "127.0.0.1", "::1"})...)
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, err
}

// loadCA reads the authority for the hosts of this sandbox. It makes one if
// there is none yet, or if the stored one lacks limits that a new one has.
func (s *Sandbox) loadCA(ctx context.Context) error {
	name := "ca " + strings.Join(s.hosts, " ")
	return s.store.Update(ctx, func(tx *store.Tx) error {
		text, err := tx.Meta(name)
		if err == nil {
			s.ca, err = tlsca.Parse(text)
			if err != nil || s.ca.Limited() {
				return err
			}
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if s.ca, err = tlsca.New(slices.Concat(s.hosts, []string{"localhost"})...); err != nil {
			return err
		}
		if text, err = s.ca.Marshal(); err != nil {
			return err
		}
		return tx.SetMeta(name, text)
	})
}

func (s *Sandbox) serve(l net.Listener, handler http.Handler) {
	server := newServer(handler, s.logger)
	s.servers = append(s.servers, server)
	s.serving.Go(func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.logger.Error("sandbox: a listener failed", "error", err)
		}
	})
}
