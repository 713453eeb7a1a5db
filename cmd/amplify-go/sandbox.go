package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/amplify-go/amplify/sandbox"
)

// sandboxCommand runs a local backend until it is interrupted.
type sandboxCommand struct {
	Outputs      string            `type:"path" placeholder:"FILE" help:"An amplify_outputs.json to imitate, or an amplifyconfiguration.json of Gen 1: ids, app client, domain, password policy, groups. The file is not changed."`
	Schema       string            `type:"path" placeholder:"PATH" help:"The annotated data schema (@model, @auth), which tells all about the GraphQL API: model-schema.graphql of Gen 2, schema.graphql or the directory schema of Gen 1. Without the flag, one of the backend of --outputs is used if it is where Amplify leaves it: in .amplify/artifacts or in amplify/backend/api. Without a schema the API is that of the outputs' model introspection, where some operations are refused."`
	Function     map[string]string `placeholder:"OPERATION=URL" help:"The address of a program that answers a custom operation, such as Query.echo=http://localhost:3001/echo. It gets the function's event as JSON by POST, and answers with the value in JSON. The flag may be given for each operation."`
	WriteOutputs string            `type:"path" default:"amplify_outputs.sandbox.json" placeholder:"FILE" help:"Where to write the outputs with the address of the sandbox (${default}). Other files than outputs of a sandbox are not replaced."`
	AppOrigin    []string          `placeholder:"ORIGIN" help:"The origin of the application. Its auth routes become redirect URIs. If the outputs have no managed login, the sandbox adds it and says what to deploy. Without --outputs the default is http://localhost:3000."`
	Users        string            `type:"path" placeholder:"FILE" help:"A JSON file with users. They are created unless they exist."`
	Data         string            `type:"path" placeholder:"DIR" help:"Keep users, sessions, keys and objects in this directory. Without it the keys alone are kept, beside the outputs."`
	StorageAdmin bool              `help:"Print a key, as JSON, that may make, fill and delete S3 buckets."`
	Port         int               `default:"4960" placeholder:"PORT" help:"The port of 127.0.0.1 to listen at (${default}). 0 chooses a free port."`
	TLSPort      *int              `name:"tls-port" placeholder:"PORT" help:"Serve the same by TLS, under the names of AWS's hosts, for unmodified Amplify JS. 0 chooses a free port."`

	Pool                 poolFlags    `embed:"" group:"The user pool's settings"`
	AppClient            clientFlags  `embed:"" group:"The app client's settings"`
	Machine              machineFlags `embed:"" prefix:"machine-" group:"A client for machines"`
	ServerSideTokenCheck bool         `group:"The identity pool's settings" help:"Refuse ID tokens of sessions that have ended. Without it they give credentials until they expire."`
}

// Validate is called by kong.
func (c *sandboxCommand) Validate() error {
	if c.AppClient.ClientSecretFile == "-" && c.Machine.SecretFile == "-" {
		return errors.New("standard input can be read once: give a file to --machine-secret-file")
	}
	return nil
}

// Help is shown above the flags.
func (*sandboxCommand) Help() string {
	return `Load the outputs that it writes in your application: amplify.LoadConfig("amplify_outputs.sandbox.json").

Without --data everything is in memory, except for the keys that sign tokens. They are in
amplify_outputs.sandbox.keys.json, so that users of --users stay signed in when the sandbox is
started again, until their tokens expire. Other users have to sign up again. Keep that file private:
amplify_outputs* in .gitignore, which Amplify writes there, is a pattern for it.

Users look like this:
  [{"email": "alice@example.com", "password": "Sunflowers-1888",
    "attributes": {"name": "Alice"}, "groups": ["curators"]}]
Optional members are "username", if users of the pool choose one, and "newPasswordRequired".

The file of --pre-token looks like the response of the Lambda function:
  {"claimsAndScopeOverrideDetails": {
    "idTokenGeneration": {"claimsToAddOrOverride": {"tenant": "acme"}, "claimsToSuppress": ["email"]},
    "accessTokenGeneration": {"scopesToAdd": ["photos/read"]},
    "groupOverrideDetails": {"groupsToOverride": ["curators"]}}}
That is version V2_0 or V3_0. "claimsOverrideDetails" is V1_0.

Outputs tell ids, but not all settings. What they do not tell is as Amplify's defineAuth sets it,
unless a flag below says otherwise.

The sandbox sends no messages. The messages that Cognito would send are in its inbox.`
}

func (c *sandboxCommand) Run(ctx context.Context, r *reporter) error {
	config, err := c.config(os.Stdin)
	if err != nil {
		return err
	}
	config.Logger = r.log
	s, err := sandbox.Start(ctx, config)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w (choose another port with --port or --tls-port; 0 chooses a free port)", err)
	}
	if err != nil {
		return err
	}
	err = c.serve(ctx, s, r)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, s.Close(closing))
}

// serve reports the addresses, and waits until ctx is done.
func (c *sandboxCommand) serve(ctx context.Context, s *sandbox.Sandbox, r *reporter) error {
	if err := writeOutputs(c.WriteOutputs, s.Outputs()); err != nil {
		return err
	}
	facts := []fact{
		{"outputs", "Outputs", c.WriteOutputs},
		{"url", "Address", s.URL()},
		{"console", "Console", s.URL() + "/console"},
		{"inbox", "Inbox", s.URL() + "/inbox"},
		{"version", "Version", version()},
	}
	if c.Schema != "" {
		facts = append(facts, fact{"schema", "Data schema", c.Schema})
	}
	if c.Data != "" {
		facts = append(facts, fact{"data", "Data", c.Data})
	} else {
		facts = append(facts, fact{"keys", "Private keys", c.keyFile()})
	}
	if key, ok := s.StorageAdmin(); ok {
		text, err := json.Marshal(key)
		if err != nil {
			return err
		}
		facts = append(facts, fact{"storage_admin", "Storage key", string(text)})
	}
	if c.TLSPort != nil {
		tls, err := c.tlsFacts(s)
		if err != nil {
			return err
		}
		facts = append(facts, tls...)
	}
	r.announce("The sandbox is ready.", facts)
	if c.TLSPort != nil {
		r.hint("For unmodified Amplify JS, start Node.js with the two environment variables, and Chromium with the flag.")
	}
	r.hint("Press Ctrl+C to stop it.")
	<-ctx.Done()
	r.log.Info("The sandbox stops.")
	return nil
}

// config returns the configuration from the flags and from the files that they name.
func (c *sandboxCommand) config(stdin io.Reader) (sandbox.Config, error) {
	config := sandbox.Config{
		DataDir:    c.Data,
		Addr:       loopback(c.Port),
		AppOrigins: c.AppOrigin,

		ServerSideTokenCheck: c.ServerSideTokenCheck,
		StorageAdmin:         c.StorageAdmin,
	}
	if c.TLSPort != nil {
		config.TLSAddr = loopback(*c.TLSPort)
	}
	if c.Data == "" {
		config.KeyFile = c.keyFile()
	}
	if err := refuseLink(c.WriteOutputs); err != nil {
		return config, err
	}
	earlier, err := earlierOutputs(c.WriteOutputs)
	errs := []error{err}
	switch {
	case c.Outputs != "":
		config.Outputs, err = os.ReadFile(c.Outputs)
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w (--outputs names a file to imitate; --write-outputs names one to write)", err)
		}
		errs = append(errs, err)
	case c.Data == "":
		// An earlier run may have invented a user pool. The same ids again spare applications a new
		// configuration, and browsers the cookies of one app client after the other.
		config.Outputs = earlier
	}
	if c.Outputs == "" && len(config.AppOrigins) == 0 {
		config.AppOrigins = []string{"http://localhost:3000"}
	}
	errs = append(errs, c.setSchema(&config), c.setFunctions(&config), c.Pool.set(&config), c.AppClient.set(&config, stdin),
		c.Machine.set(&config, c.Pool.CustomScopes, stdin))
	if c.Users != "" {
		config.Users, err = readUsers(c.Users)
		errs = append(errs, err)
	}
	return config, errors.Join(errs...)
}

// keyFile returns the path of the file that keeps the signing keys, beside the outputs.
func (c *sandboxCommand) keyFile() string {
	return strings.TrimSuffix(c.WriteOutputs, filepath.Ext(c.WriteOutputs)) + ".keys.json"
}

// refuseLink refuses a symbolic link in place of the outputs. A directory from
// elsewhere may contain one, and [writeOutputs] would replace it with a file.
func refuseLink(path string) error {
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return fmt.Errorf("%s is a symbolic link and stays as it is: name another file with --write-outputs, or move it away", path)
	}
	return nil // reading and writing the file tell of other errors
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
