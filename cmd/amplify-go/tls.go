package main

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/amplify-go/amplify/sandbox"
)

// tlsFacts tells how unmodified JavaScript reaches the sandbox: under the names of AWS's hosts,
// which Amplify JS dials whatever it is configured with. What Node.js needs for that is written
// beside the outputs.
func (c *sandboxCommand) tlsFacts(s *sandbox.Sandbox) ([]fact, error) {
	env, err := s.WriteNodeSupport(strings.TrimSuffix(c.WriteOutputs, filepath.Ext(c.WriteOutputs)) + ".node")
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(s.TLSURL())
	if err != nil {
		return nil, err
	}
	facts := []fact{{"tls_url", "TLS", s.TLSURL()}}
	for _, setting := range env {
		name, value, _ := strings.Cut(setting, "=")
		facts = append(facts, fact{strings.ToLower(name), name, value})
	}
	var rules []string
	for _, host := range s.AWSHosts() {
		rules = append(rules, "MAP "+host+" "+address.Host)
	}
	return append(facts, fact{"host_resolver_rules", "--host-resolver-rules", strings.Join(rules, ", ")}), nil
}
