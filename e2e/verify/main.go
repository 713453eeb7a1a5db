// Command verify is package verify in a WebAssembly module of wasip1, which has neither a network
// nor files. The tests of package e2e run it in wazero. It reads an Input for each line of standard
// input and prints an Output, both as JSON.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/amplify-go/amplify/verify"
)

// Input is a request, and what to judge it by.
type Input struct {
	Outputs struct { // amplify_outputs.json
		Auth struct {
			UserPoolID string `json:"user_pool_id"`
			ClientID   string `json:"user_pool_client_id"`
		} `json:"auth"`
	}
	Keys    json.RawMessage
	Cookies string // a Cookie header
}

// Output says whose request it is, or why it is nobody's.
type Output struct {
	User   string
	Reason verify.Reason
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	inputs, outputs := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var in Input
		if err := inputs.Decode(&in); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		answer, err := judge(in)
		if err != nil {
			return err
		}
		if err := outputs.Encode(answer); err != nil {
			return err
		}
	}
}

func judge(in Input) (Output, error) {
	v, err := verify.New(verify.Options{
		UserPoolID: in.Outputs.Auth.UserPoolID, ClientID: in.Outputs.Auth.ClientID, Keys: in.Keys,
	})
	if err != nil {
		return Output{}, err
	}
	session, err := v.Session(in.Cookies)
	if refused, ok := errors.AsType[*verify.Error](err); ok {
		return Output{Reason: refused.Reason}, nil
	} else if err != nil {
		return Output{}, err
	}
	return Output{User: session.AccessToken.Username}, nil
}
