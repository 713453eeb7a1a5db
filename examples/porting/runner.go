package porting

import (
	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
)

// newRunner makes the runner of an application. Make one at the start, and share it.
func newRunner(outputs string) (*amplifyhttp.ServerRunner, error) {
	cfg, err := amplify.LoadConfig(outputs) // "amplify_outputs.json"
	if err != nil {
		return nil, err
	}
	return amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{})
}
