"""From a prompt to a plan, or to a refusal that says what works: `plan.py` leads, no pixels are needed."""
