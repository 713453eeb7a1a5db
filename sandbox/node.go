package sandbox

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/amplify-go/amplify/sandbox/internal/private"
)

//go:embed node/preload.cjs
var preload []byte

// WriteNodeSupport writes files to dir with which Node.js programs reach the sandbox
// under the names of AWS's hosts. Amplify JS dials those names whatever its configuration
// says. dir is created if necessary. It and the files must not be symbolic links.
//
// It returns the environment to run the programs with, as "NAME=value".
// NODE_EXTRA_CA_CERTS makes them trust the sandbox's certificate, and
// NODE_OPTIONS leads connections to those hosts to [Config.TLSAddr].
func (s *Sandbox) WriteNodeSupport(dir string) (env []string, err error) {
	if s.tlsURL == "" {
		return nil, errors.New("sandbox: Node.js reaches AWS's hosts by TLS only: set TLSAddr")
	}
	u, err := url.Parse(s.tlsURL)
	if err != nil {
		return nil, err
	}
	address, portText, err := net.SplitHostPort(u.Host)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, err
	}
	settings, err := json.Marshal(map[string]any{"hosts": s.hosts, "address": address, "port": port})
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if err := private.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("sandbox: support for Node.js: %w", err)
	}
	for name, content := range map[string][]byte{"ca.pem": s.CACertificate(), "preload.cjs": preload, "sandbox.json": settings} {
		if err := private.Write(filepath.Join(dir, name), content); err != nil {
			return nil, fmt.Errorf("sandbox: support for Node.js: %w", err)
		}
	}
	// Node.js splits NODE_OPTIONS at blanks unless they are quoted. Within
	// quotes, a backslash escapes (nodejs.org/api/cli.html#node_optionsoptions).
	return []string{
		"NODE_EXTRA_CA_CERTS=" + filepath.Join(dir, "ca.pem"),
		"NODE_OPTIONS=--require=" + quoteNode(filepath.Join(dir, "preload.cjs")),
	}, nil
}

// AWSHosts returns the names of AWS's hosts that the sandbox serves
// by TLS. Browsers take them in the flag --host-resolver-rules.
func (s *Sandbox) AWSHosts() []string { return slices.Clone(s.hosts) }

func quoteNode(s string) string {
	quoted := []byte{'"'}
	for _, b := range []byte(s) {
		if b == '"' || b == '\\' {
			quoted = append(quoted, '\\')
		}
		quoted = append(quoted, b)
	}
	return string(append(quoted, '"'))
}
