package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"hearken/config"
)

// rulesFmtCmd writes rules files in their canonical form.
type rulesFmtCmd struct {
	Files []string `arg:"" type:"existingfile" help:"Rules files, or files of tests."`
	Write bool     `short:"w" xor:"do" help:"Write the files anew instead of printing them."`
	Check bool     `xor:"do" help:"Only list the files that are not in canonical form, and fail if there are any: for CI."`
}

func (c *rulesFmtCmd) Run(s *streams) error {
	var errs []error
	unformatted := 0
	for _, path := range c.Files {
		was, is, err := formatted(path)
		switch {
		case err != nil:
			errs = append(errs, err)
		case c.Check && !bytes.Equal(was, is):
			unformatted++
			fmt.Fprintln(s.out, path)
		case c.Check:
		case c.Write && !bytes.Equal(was, is):
			errs = append(errs, replace(path, is))
		case !c.Write:
			_, err := s.out.Write(is)
			errs = append(errs, err)
		}
	}
	if unformatted > 0 {
		errs = append(errs, fmt.Errorf("%d of %d files are not in canonical form; hearken rules fmt -w writes them so", unformatted, len(c.Files)))
	}
	return errors.Join(errs...)
}

func formatted(path string) (was, is []byte, err error) {
	if was, err = os.ReadFile(path); err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, err)
	}
	is, err = config.Format(path, was)
	return was, is, err
}

// replace writes a file in one step, so that a gateway that watches it never
// reads half of it. A link stays one: what it leads to is replaced.
func replace(path string, text []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	before, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(before.Mode().Perm()), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}
