package conformance

import (
	"encoding/json"
	"fmt"

	"github.com/google/go-cmp/cmp"
)

// Diff compares got with what was recorded, both as JSON values: the order of members, and how a
// value is represented in Go, do not count. It returns nil if they are equal.
func Diff(want json.RawMessage, got any) error {
	b, err := json.Marshal(got)
	if err != nil {
		return err
	}
	var w, g any
	if err := json.Unmarshal(want, &w); err != nil {
		return err
	}
	if err := json.Unmarshal(b, &g); err != nil {
		return err
	}
	if d := cmp.Diff(w, g); d != "" {
		return fmt.Errorf("(-recorded +ours)\n%s", d)
	}
	return nil
}
