// Command amplify-go is the tool beside the library: it runs a local backend to develop and test
// against, and says why a request is not signed in.
//
//	amplify-go sandbox
//	amplify-go doctor --request=-
//
// Its exit status is 0 when a command did what it was asked to (a signal is how one asks the
// sandbox to stop), 1 when it failed or doctor found a problem, and 2 when the command line was
// wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commandLine is what kong parses. Each command is one file: a struct with its flags and a method
// Run.
type commandLine struct {
	Sandbox sandboxCommand `cmd:"" help:"Run a local backend: user pool, managed login, identity pool, S3, AppSync, inbox and console."`
	Doctor  doctorCommand  `cmd:"" help:"Say why a request is signed in or is not, and what is wrong with the configuration."`
	Version versionCommand `cmd:"" help:"Print the version."`

	LogFormat string `enum:"text,json" default:"text" help:"Write text, for people, or json, for programs (${default})."`
}

const description = "A local AWS Amplify backend, for servers written in Go."

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"--help"}
	}
	var cl commandLine
	command, err := newParser(&cl).Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "amplify-go: %v\nRun \"amplify-go --help\" to see what it can do.\n", err)
		os.Exit(2)
	}
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(newReporter(cl.LogFormat)); err != nil {
		exit := exitError{status: 1, err: err}
		errors.As(err, &exit)
		if exit.err != nil {
			fmt.Fprintln(os.Stderr, "amplify-go:", exit.err)
		}
		os.Exit(exit.status)
	}
}

func newParser(cl *commandLine) *kong.Kong {
	return kong.Must(cl, kong.Name("amplify-go"), kong.Description(description+" This is version "+version()+"."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
}

// exitError ends the command with a status. Without err everything has been said.
type exitError struct {
	status int
	err    error
}

func (e exitError) Error() string { return fmt.Sprintf("exit status %d: %v", e.status, e.err) }
