package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Fault is one kind of failure of some calls. It needs an Outcome or a Latency.
type Fault struct {
	// Operation is the name of the calls that it strikes. Empty means all calls.
	Operation string
	// Outcome is how the call ends. Empty means that
	// the call is answered as usual, after the Latency.
	Outcome Outcome
	// Latency is how long the call waits before anything else happens.
	Latency time.Duration
	// Probability is the share of the calls that it strikes, from 0 to 1. Zero means 1.
	Probability float64
	// Count is the number of calls that it strikes before it ends. Zero means any number.
	Count int
}

// Outcome is how a call ends.
type Outcome string

// Outcomes.
const (
	// Throttle is Cognito's answer to too many requests: status 400 and TooManyRequestsException.
	// That of S3 is status 503 and SlowDown, and that of AppSync status 429 and
	// ThrottlingException.
	Throttle Outcome = "throttle"
	// Plain429 is the answer of other throttles: status 429 and a line of text.
	Plain429 Outcome = "429"
	// JSON500 is status 500 and InternalErrorException, S3's InternalError, or AppSync's
	// InternalFailure.
	JSON500 Outcome = "500"
	// HTML503 is the answer of a proxy in front of a service: status 503 and an HTML page.
	HTML503 Outcome = "503-html"
	// Drop breaks the connection before the call has its effect.
	Drop Outcome = "drop"
	// DropAfter breaks the connection after the call had its effect, without an answer.
	DropAfter Outcome = "drop-after"
	// Cut breaks the connection in the middle of a body: of the
	// request's, or, if that has none, of the answer's.
	Cut Outcome = "cut"
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome {
	return []Outcome{Throttle, Plain429, JSON500, HTML503, Drop, DropAfter, Cut}
}

// validate reports all faults of f.
func (f Fault) validate(operations []string) error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf("faults: "+format, args...)) }
	if f.Operation != "" && !slices.Contains(operations, f.Operation) {
		fault("there is no operation %q; there are: %s", clip(f.Operation), strings.Join(operations, " "))
	}
	if f.Outcome != "" && !slices.Contains(Outcomes(), f.Outcome) {
		fault("there is no outcome %q; there are: %v", clip(string(f.Outcome)), Outcomes())
	}
	if f.Outcome == "" && f.Latency == 0 {
		fault("neither an outcome nor a latency is given")
	}
	if f.Latency < 0 {
		fault("the latency %v is negative", f.Latency)
	}
	if !(f.Probability >= 0 && f.Probability <= 1) { // NaN is neither
		fault("the probability %v is not between 0 and 1", f.Probability)
	}
	if f.Count < 0 {
		fault("the count %d is negative", f.Count)
	}
	return errors.Join(errs...)
}

func clip(s string) string {
	if len(s) > 100 {
		return s[:100] + "…"
	}
	return s
}

// faultJSON is a fault in JSON. The latency is a text such as "20ms".
type faultJSON struct {
	Operation   string  `json:"operation,omitempty"`
	Outcome     Outcome `json:"outcome,omitempty"`
	Latency     string  `json:"latency,omitempty"`
	Probability float64 `json:"probability,omitempty"`
	Count       int     `json:"count,omitempty"`
}

// MarshalJSON writes what [Fault.UnmarshalJSON] reads.
func (f Fault) MarshalJSON() ([]byte, error) {
	j := faultJSON{Operation: f.Operation, Outcome: f.Outcome, Probability: f.Probability, Count: f.Count}
	if f.Latency != 0 {
		j.Latency = f.Latency.String()
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads an object with operation, outcome, latency (a text such as "20ms", see
// [time.ParseDuration]), probability and count.
func (f *Fault) UnmarshalJSON(text []byte) error {
	var j faultJSON
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields() // else a misspelt field would go unnoticed, and be no limit
	if err := dec.Decode(&j); err != nil {
		return err
	}
	*f = Fault{Operation: j.Operation, Outcome: j.Outcome, Probability: j.Probability, Count: j.Count}
	if j.Latency == "" {
		return nil
	}
	var err error
	if f.Latency, err = time.ParseDuration(j.Latency); err != nil {
		return fmt.Errorf("faults: the latency: %w", err)
	}
	return nil
}
