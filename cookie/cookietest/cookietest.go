// Package cookietest tests implementations of [cookie.Store]. The author of a store for a web
// framework calls [Run] from a test:
//
//	func TestStore(t *testing.T) {
//		cookietest.Run(t, func(t *testing.T, lines []string) cookietest.Exchange {
//			request := framework.NewRequest(lines)
//			response := framework.NewResponse()
//			return cookietest.Exchange{
//				Store:     mystore.New(request, response),
//				End:       response.SendHeader,
//				SetCookie: func() []string { return response.Sent("Set-Cookie") },
//			}
//		})
//	}
//
// The suite tests what the documentation of [cookie.Store] demands. It tests the abilities
// [cookie.WritableStore], [cookie.AtomicStore] and [cookie.PendingStore] if the store has them.
package cookietest

import (
	"testing"

	"github.com/amplify-go/amplify/cookie"
)

// Exchange is a request and its response, with the store to test.
type Exchange struct {
	// Store gives access to the cookies of the request and of the response. The response has no
	// cookies yet.
	Store cookie.Store

	// End sends the header of the response, as the first write to its body does. No cookie that is
	// set later reaches the browser. The request goes on: the suite still calls the store.
	//
	// End may be called while another goroutine is in SetAll, if Store is a [cookie.AtomicStore].
	//
	// Leave it nil if the store cannot know when the header goes, as [cookie.HeaderStore] cannot.
	// The suite then skips the tests of late writes.
	End func()

	// SetCookie returns the Set-Cookie lines that a browser gets. It is called once, after End.
	SetCookie func() []string
}

// Run tests a store. Every test calls newExchange, some more than once, for a request that has the
// given lines as its Cookie header. A framework that takes only one line may join them by "; ". To
// clean up, newExchange uses t.Cleanup.
func Run(t *testing.T, newExchange func(t *testing.T, lines []string) Exchange) {
	t.Helper()
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			c.run(t, func(lines ...string) Exchange {
				t.Helper()
				x := newExchange(t, lines)
				if x.Store == nil || x.SetCookie == nil {
					t.Fatal("cookietest: the Exchange lacks Store or SetCookie")
				}
				return x
			})
		})
	}
}

// end sends the header and returns what a browser gets.
func (x Exchange) end() []string {
	if x.End != nil {
		x.End()
	}
	return x.SetCookie()
}
