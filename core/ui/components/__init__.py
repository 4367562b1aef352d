"""What several pages are made of: results, the run bar, model controls. Imports session, never pages."""
