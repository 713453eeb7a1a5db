package sandbox_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// note sends a document to the GraphQL API of a process.
func (p *process) note(document string) (string, error) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost,
		p.storage.Custom.AmplifyGo.Endpoints["data"],
		strings.NewReader(fmt.Sprintf(`{"query": %q}`, document)))
	if err != nil {
		return "", err
	}
	r.Header.Set("X-Api-Key", p.storage.Data.APIKey)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// TestDataSurvivesAKill kills the sandbox while items are written.
// What was acknowledged is there afterwards.
func TestDataSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	var mu sync.Mutex
	kept := map[string]string{} // texts by id
	for round := range 3 {
		p := startProcess(t, dir)
		var killed atomic.Bool
		var working sync.WaitGroup
		for worker := range 4 {
			working.Go(func() {
				for i := 0; !killed.Load(); i++ {
					id := fmt.Sprintf("%d-%d-%d", round, worker, i)
					for _, text := range []string{"made", "changed"} {
						operation := "create"
						if text == "changed" {
							operation = "update"
						}
						body, err := p.note(fmt.Sprintf("mutation { %sNote(input: {id: %q, text: "+
							"%q}) { text } }",
							operation, id, text))
						if err != nil || !strings.Contains(body, `"text":"`+text+`"`) {
							return
						}
						mu.Lock()
						kept[id] = text
						if len(kept) == 30*(round+1) && !killed.Swap(true) {
							_ = p.Process.Kill()
						}
						mu.Unlock()
					}
				}
			})
		}
		working.Wait()
		_ = p.Wait()
	}
	p := startProcess(t, dir)
	for id, text := range kept {
		body, err := p.note(fmt.Sprintf("{ getNote(id: %q) { text } }", id))
		// A change that was not acknowledged may be there as well.
		if err != nil || !strings.Contains(body, text) && !strings.Contains(body, "changed") {
			t.Errorf("%s was acknowledged as %s: %s, %v", id, text, body, err)
		}
	}
	if len(kept) < 90 {
		t.Errorf("only %d items were written", len(kept))
	}
}
