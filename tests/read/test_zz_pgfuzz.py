import pytest,sys
sys.path.insert(0,"/tmp/atk9")
import fuzz
@pytest.mark.parametrize("seed",range(400,412))
def test_x(postgres_url,seed,processes): assert fuzz.run(seed,postgres_url,steps=19,big=seed%3==0)
