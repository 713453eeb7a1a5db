// Program production is what must not work: a server that accepts the sessions of a pool.
package main

import (
	"fmt"
	"testing"

	"github.com/amplify-go/amplify/amplifytest"
)

func main() {
	fmt.Println(amplifytest.New(&testing.T{}, amplifytest.Options{}).Config())
}
