package userpool

import (
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/amplify-go/amplify/sandbox/internal/private"
	"github.com/amplify-go/amplify/sandbox/internal/store"
)

// maxKeyFile bounds what is read of a key file. Four keys take 8 KB.
const maxKeyFile = 64 << 10

// keyFile is the content of [Config.KeyFile], as JSON.
type keyFile struct {
	PoolID string    `json:"user_pool_id"`
	Keys   []keptKey `json:"keys"`
}

type keptKey struct {
	KeyID      string `json:"kid"`
	Use        string `json:"use"`
	Generation int    `json:"generation"`
	PrivateKey string `json:"private_key"` // PKCS #8, in PEM
}

// readKeyFile returns the keys of the pool in the file at path. The error is [fs.ErrNotExist] if
// there is no such file, and errOtherPool if the keys are those of another user pool. Errors quote
// nothing of the file.
func readKeyFile(path, poolID string) ([]store.SigningKey, error) {
	text, err := private.Read(path, maxKeyFile)
	if err != nil {
		return nil, err
	}
	var file keyFile
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, damaged(path, "it is not JSON of the form that the sandbox writes")
	}
	if file.PoolID != poolID {
		return nil, errOtherPool
	}
	var keys []store.SigningKey
	uses := map[string]bool{}
	ids := map[string]bool{}
	for _, k := range file.Keys {
		block, _ := pem.Decode([]byte(k.PrivateKey))
		if block == nil {
			return nil, damaged(path, "a key is not in PEM")
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if _, ok := parsed.(*rsa.PrivateKey); err != nil || !ok {
			return nil, damaged(path, "a key is no RSA key")
		}
		if k.KeyID == "" || ids[k.KeyID] {
			return nil, damaged(path, "a key has no id of its own")
		}
		ids[k.KeyID], uses[k.Use] = true, true
		keys = append(keys, store.SigningKey{
			KeyID: k.KeyID, Use: k.Use, Generation: k.Generation, PKCS8: block.Bytes})
	}
	if !uses[useAccess] || !uses[useID] || len(uses) != 2 {
		return nil, damaged(path, "it needs keys for access and for ID tokens, and no others")
	}
	// The newest ones sign.
	slices.SortStableFunc(keys, func(a, b store.SigningKey) int {
		return cmp.Compare(b.Generation, a.Generation)
	})
	return keys, nil
}

var errOtherPool = errors.New("the keys are those of another user pool")

func damaged(path, how string) error {
	return fmt.Errorf("the key file %s is damaged: %s: move it away, and the sandbox makes new keys",
		path, how)
}

// writeKeyFile writes the keys of the pool to the file at path, for its owner alone.
func writeKeyFile(path, poolID string, keys []store.SigningKey) error {
	file := keyFile{PoolID: poolID}
	for _, k := range keys {
		text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k.PKCS8})
		file.Keys = append(file.Keys, keptKey{k.KeyID, k.Use, k.Generation, string(text)})
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	return private.Write(path, append(text, '\n'))
}

// keptKeys returns the keys of the key file, or nil if new ones have to be made.
func (p *Pool) keptKeys() ([]store.SigningKey, error) {
	keys, err := readKeyFile(p.cfg.KeyFile, p.cfg.ID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, errOtherPool):
		p.cfg.Logger.Info("sandbox: the key file has the keys of another user pool; "+
			"new ones replace them", "file", p.cfg.KeyFile)
		return nil, nil
	}
	return keys, err
}
