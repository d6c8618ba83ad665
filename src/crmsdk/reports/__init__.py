"""Pictures and pages: inline SVG and one self-contained HTML file, drawn from plain data."""
